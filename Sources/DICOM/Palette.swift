/// The palette of a PALETTE COLOR image as gray levels (PS3.3, C.7.6.3.1.5).
struct Palette: Sendable, Hashable {
    /// The stored value of the first entry.
    let first: Int
    /// The luma of each entry.
    let levels: [UInt16]

    /// Creates a palette from entries of `bits` bits, equally many for each color.
    init(first: Int, red: [UInt16], green: [UInt16], blue: [UInt16], bits: Int) {
        precondition(
            !red.isEmpty && red.count == green.count && red.count == blue.count,
            "palettes of different length"
        )
        self.first = first
        levels = red.indices.map {
            ColorToGray.luma(red: Double(red[$0]), green: Double(green[$0]), blue: Double(blue[$0]), bits: bits)
        }
    }

    /// Reads the palette of a data set.
    init(_ item: DICOMItem, isSigned: Bool) throws(DICOMError) {
        var colors: [[UInt16]] = []
        var isByte = true
        for color in 0..<3 {
            let name = ["red", "green", "blue"][color] + " palette"
            let (entries, bits) = try Self.entries(item, color, name: name)
            isByte = isByte && bits == 8
            colors.append(entries)
        }
        guard colors[0].count == colors[1].count, colors[0].count == colors[2].count else {
            throw .inconsistent("the palettes of red, green and blue have different lengths")
        }
        let word = item.words(.paletteDescriptor(0), limit: 2)?.last ?? 0
        let first = isSigned ? Int(Int16(bitPattern: word)) : Int(word)
        let bits = isByte ? 8 : 16
        self.init(first: first, red: colors[0], green: colors[1], blue: colors[2], bits: bits)
    }

    /// The entries of a color, and their bits.
    private static func entries(
        _ item: DICOMItem,
        _ color: Int,
        name: String
    ) throws(DICOMError) -> (entries: [UInt16], bits: Int) {
        guard let descriptor = item.words(.paletteDescriptor(color), limit: 3), descriptor.count == 3 else {
            throw .inconsistent("the \(name) has no descriptor of three numbers")
        }
        let count = descriptor[0] == 0 ? 65_536 : Int(descriptor[0])
        let declared = Int(descriptor[2])
        guard declared == 8 || declared == 16 else {
            throw .inconsistent("the \(name) has \(declared) bits; allowed are 8 and 16")
        }
        if let words = item.words(.paletteData(color)) {
            let entries = try LookupTable.entries(words, count: descriptor[0], bits: 8, name: name)
            // The number of bytes tells the real depth; entries of 8 bits can also be stored in words of 16.
            let isByte = words.count < count || declared == 8 && entries.allSatisfy { $0 <= 255 }
            return (entries, isByte ? 8 : 16)
        }
        guard let words = item.words(.segmentedPaletteData(color)) else {
            throw .inconsistent("the \(name) has no data")
        }
        return (try SegmentedPalette.expand(words, bits: declared, count: count, name: name), declared)
    }

    /// The gray level of a stored value; values outside of the palette take its first or last entry.
    func callAsFunction(_ stored: Int) -> UInt16 { levels[max(0, min(stored - first, levels.count - 1))] }
}
