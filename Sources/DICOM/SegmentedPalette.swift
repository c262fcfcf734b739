/// Palettes stored as segments (PS3.3, C.7.9.2).
package enum SegmentedPalette {
    /// The entries of a palette of `bits` (8 or 16) bits, of which there must be at least `count`; more are dropped.
    package static func expand(_ words: [UInt16], bits: Int, count: Int, name: String) throws(DICOMError) -> [UInt16] {
        var expansion = Expansion(
            data: bits == 8 ? words.flatMap { [$0 & 0xFF, $0 >> 8] } : words,
            isByte: bits == 8,
            limit: count,
            name: name
        )
        try expansion.segments(from: 0, count: nil, isIndirect: false)
        guard expansion.entries.count >= count else {
            throw .inconsistent("the \(name) has \(expansion.entries.count) of \(count) entries")
        }
        return Array(expansion.entries.prefix(count))
    }

    private struct Expansion {
        let data: [UInt16]
        let isByte: Bool
        let limit: Int
        let name: String
        var entries: [UInt16] = []
        /// Limits the work of segments without entries.
        var steps = 0

        /// Expands `count` segments, or all to the end.
        mutating func segments(from start: Int, count: Int?, isIndirect: Bool) throws(DICOMError) {
            var place = start
            var done = 0
            // A single value at the end is padding.
            while place + 1 < data.count, done < count ?? .max, entries.count < limit {
                steps += 1
                guard steps <= 1 << 20 else { throw invalid("it has too many segments") }
                let (opcode, length) = (data[place], Int(data[place + 1]))
                place += 2
                switch opcode {
                case 0:
                    entries += try values(place, length)
                    place += length
                case 1:
                    try line(to: try values(place, 1)[place], length: length)
                    place += 1
                case 2:
                    guard !isIndirect else { throw invalid("an indirect segment refers to another") }
                    let width = isByte ? 4 : 2
                    // Both hold a number of 32 bits, of which the least significant part is first.
                    let offset = try values(place, width).reversed().reduce(0) { $0 << (isByte ? 8 : 16) | Int($1) }
                    try segments(from: isByte ? offset : offset / 2, count: length, isIndirect: true)
                    place += width
                default: throw invalid("segment type \(opcode) is unknown")
                }
                done += 1
            }
        }

        private mutating func line(to end: UInt16, length: Int) throws(DICOMError) {
            guard let start = entries.last else { throw invalid("it begins with a linear segment") }
            guard length > 0 else { return }
            let step = (Double(end) - Double(start)) / Double(length)
            entries += (1...length).map { UInt16((Double(start) + step * Double($0)).rounded(.toNearestOrEven)) }
        }

        private func values(_ place: Int, _ count: Int) throws(DICOMError) -> ArraySlice<UInt16> {
            guard place <= data.count, count <= data.count - place else { throw invalid("its data are truncated") }
            return data[place..<place + count]
        }

        private func invalid(_ reason: String) -> DICOMError {
            .inconsistent("the segmented \(name) is invalid: \(reason)")
        }
    }
}
