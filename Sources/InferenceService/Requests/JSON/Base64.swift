/// Decoder of base64 (RFC 4648, sections 4 and 5) in its common variants.
///
/// It accepts line breaks, both alphabets, missing padding and data: URLs (RFC 2397).
package enum Base64 {
    /// Decodes `text`, at most the first `maximum` bytes; returns nil if it is not valid base64.
    ///
    /// After `maximum` bytes the rest of the text is not checked.
    package static func decode(_ text: JSONReader.StringToken, maximum: Int = .max) -> [UInt8]? {
        var content = text.bytes
        if content.starts(with: "data:".utf8) {
            // "data:image/png;base64,": the header is short.
            guard let comma = content.prefix(256).firstIndex(of: UInt8(ascii: ",")) else { return nil }
            guard content[..<comma].ends(with: ";base64".utf8) else { return nil }
            content = content[(comma + 1)...]
        }
        return text.hasEscapes
            ? decode(JSONUnescaping(content), count: content.count, maximum: maximum)
            : decode(content, count: content.count, maximum: maximum)
    }

    private static func decode(_ text: some Sequence<UInt8>, count: Int, maximum: Int) -> [UInt8]? {
        var result: [UInt8] = []
        result.reserveCapacity(min(maximum, count / 4 * 3 + 3))
        var bits: UInt32 = 0
        var characters = 0
        var padding = 0
        for byte in text {
            let value = values[Int(byte)]
            if value < 64 {
                guard padding == 0 else { return nil }
                bits = bits << 6 | UInt32(value)
                characters += 1
                guard characters == 4 else { continue }
                result.append(UInt8(truncatingIfNeeded: bits >> 16))
                result.append(UInt8(truncatingIfNeeded: bits >> 8))
                result.append(UInt8(truncatingIfNeeded: bits))
                if result.count >= maximum { return Array(result.prefix(maximum)) }
                (bits, characters) = (0, 0)
            } else if value == paddingMark {
                padding += 1
            } else if value != whiteSpaceMark {
                return nil
            }
        }
        // The remainder is empty, one byte in two characters, or two bytes in three characters.
        guard characters != 1, padding == 0 || (characters > 0 && characters + padding == 4) else { return nil }
        if characters >= 2 { result.append(UInt8(truncatingIfNeeded: bits >> (characters == 2 ? 4 : 10))) }
        if characters == 3 { result.append(UInt8(truncatingIfNeeded: bits >> 2)) }
        return Array(result.prefix(maximum))
    }

    private static let paddingMark: UInt8 = 64
    private static let whiteSpaceMark: UInt8 = 65

    /// Value of each byte: 0 to 63, a mark, or 255 if it is not a base64 character.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, byte) in alphabet.utf8.enumerated() { values[Int(byte)] = UInt8(value) }
        values[Int(UInt8(ascii: "-"))] = 62
        values[Int(UInt8(ascii: "_"))] = 63
        values[Int(UInt8(ascii: "="))] = paddingMark
        for byte in "\r\n\t ".utf8 { values[Int(byte)] = whiteSpaceMark }
        return values
    }()
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with suffix: some BidirectionalCollection<UInt8>) -> Bool {
        self.suffix(suffix.count).elementsEqual(suffix)
    }
}
