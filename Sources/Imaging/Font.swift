/// The font of plots and captions: DejaVu Sans, antialiased, printable ASCII.
///
/// The width of a text is the sum of its glyphs' widths, without kerning. Other characters are drawn as a question mark.
package enum Font {
    /// Returns the width in pixels of `text` in lines of `height` pixels.
    package static func width(of text: String, height: Int) -> Int {
        scaled(text.reduce(0) { $0 + FontGlyphs.advances[index(of: $1)] }, height)
    }

    /// Returns the coverage of each pixel by `text`, from 0 to 1, as an image of one channel and of `height` pixels; nil
    /// if the text is empty.
    package static func coverage(of text: String, height: Int) -> Image? {
        let indices = text.map(index)
        let widths = indices.map { FontGlyphs.advances[$0] }
        let total = widths.reduce(0, +)
        guard total > 0, height > 0 else { return nil }
        var line = Image(height: FontGlyphs.height, width: total, channels: 1)
        var left = 0
        for (index, width) in zip(indices, widths) {
            for row in 0..<FontGlyphs.height {
                for column in 0..<width {
                    line[row, left + column, 0] = Float(levels[starts[index] + row * width + column]) / 15
                }
            }
            left += width
        }
        return line.resized(height: height, width: scaled(total, height))
    }

    private static func scaled(_ width: Int, _ height: Int) -> Int {
        (width * height + FontGlyphs.height - 1) / FontGlyphs.height
    }

    private static func index(of character: Character) -> Int {
        guard let code = character.asciiValue, (0x20...0x7E).contains(code) else { return 0x3F - 0x20 }
        return Int(code) - 0x20
    }

    /// The place of each glyph in ``levels``.
    private static let starts = FontGlyphs.advances.indices.map { index in
        FontGlyphs.advances[..<index].reduce(0, +) * FontGlyphs.height
    }

    /// The coverage of the glyphs' pixels, from 0 to 15.
    private static let levels: [UInt8] = {
        let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let values = Dictionary(uniqueKeysWithValues: digits.enumerated().map { ($1, UInt32($0)) })
        var (levels, bits, count) = ([UInt8](), UInt32(0), 0)
        for digit in FontGlyphs.runs.utf8 {
            guard let value = values[digit] else { continue }
            (bits, count) = (bits << 6 | value, count + 6)
            guard count >= 8 else { continue }
            count -= 8
            let byte = UInt8(truncatingIfNeeded: bits >> UInt32(count))
            levels += repeatElement(byte >> 4, count: Int(byte & 0x0F) + 1)
        }
        return levels
    }()
}
