/// Encoded words, `=?charset?B?base64?=` and `=?charset?Q?quoted-printable?=` (RFC 2047), in UTF-8 and ISO-8859-1.
package enum EncodedWord {
    /// A piece of a text: an encoded word with its decoded bytes, or other text.
    private enum Piece {
        case word(TextCharset, [UInt8])
        case text(ArraySlice<UInt8>)
    }

    /// Returns `text` with its encoded words decoded; those that are malformed or in another character set are kept.
    ///
    /// Whitespace between two encoded words is dropped, and their bytes are joined before they are decoded, because
    /// some senders divide a character between two words.
    package static func decode(_ text: String) -> String {
        guard text.utf8.contains(UInt8(ascii: "=")) else { return text }
        let bytes = Array(text.utf8)
        var result = ""
        /// Consecutive words of one character set, and their text as received.
        var words: (charset: TextCharset, bytes: [UInt8], source: ArraySlice<UInt8>)?
        func finishWords() {
            if let words {
                result += words.charset.decode(words.bytes) ?? String(decoding: words.source, as: UTF8.self)
            }
            words = nil
        }
        var position = 0
        var textStart = 0
        while position < bytes.count {
            guard let (charset, decoded, end) = word(bytes[position...]) else {
                position += 1
                continue
            }
            let between = bytes[textStart..<position]
            let isJoined = between.allSatisfy { [0x20, 0x09, 0x0D, 0x0A].contains($0) }
            if isJoined, let previous = words, previous.charset == charset {
                let source = bytes[previous.source.startIndex..<end]
                words = (charset, previous.bytes + decoded, source)
            } else {
                let followsWord = words != nil
                finishWords()
                if !(isJoined && followsWord) { result += String(decoding: between, as: UTF8.self) }
                words = (charset, decoded, bytes[position..<end])
            }
            (position, textStart) = (end, end)
        }
        finishWords()
        return result + String(decoding: bytes[textStart...], as: UTF8.self)
    }

    /// Returns the encoded word at the start of `bytes`, decoded, and where it ends; nil if there is none.
    private static func word(_ bytes: ArraySlice<UInt8>) -> (TextCharset, [UInt8], end: Int)? {
        guard bytes.starts(with: "=?".utf8) else { return nil }
        // A word has at most 75 characters; longer ones occur, but not without a limit.
        let content = bytes.dropFirst(2).prefix(1024)
        let fields = content.split(separator: UInt8(ascii: "?"), maxSplits: 3, omittingEmptySubsequences: false)
        guard fields.count == 4, fields[3].first == UInt8(ascii: "="),
            let charset = TextCharset(String(decoding: fields[0], as: UTF8.self)), fields[1].count == 1,
            let decoded = decoded(fields[2], fields[1].first.map { $0 | 0x20 })
        else { return nil }
        return (charset, decoded, fields[3].startIndex + 1)
    }

    private static func decoded(_ text: ArraySlice<UInt8>, _ encoding: UInt8?) -> [UInt8]? {
        switch encoding {
        case UInt8(ascii: "b"): base64(text)
        case UInt8(ascii: "q"): quoted(text)
        default: nil
        }
    }

    /// Decodes the "Q" encoding (RFC 2047, section 4.2).
    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "_"): result.append(0x20)
            case UInt8(ascii: "="):
                guard let high = rest.popFirst().flatMap(PercentEncoding.digit),
                    let low = rest.popFirst().flatMap(PercentEncoding.digit)
                else { return nil }
                result.append(high << 4 | low)
            default: result.append(byte)
            }
        }
        return result
    }

    /// Decodes base64 (RFC 4648, section 4), with or without padding.
    private static func base64(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let padding = text.reversed().prefix { $0 == UInt8(ascii: "=") }.count
        let digits = text.dropLast(padding)
        guard digits.count % 4 != 1, padding == 0 || (padding <= 2 && (digits.count + padding) % 4 == 0) else {
            return nil
        }
        var result: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for byte in digits {
            guard let value = base64Digit(byte) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 6
            guard count >= 8 else { continue }
            count -= 8
            result.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
        }
        return result
    }

    private static func base64Digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
