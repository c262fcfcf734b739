/// A chunk's size line, `chunk-size [ chunk-ext ] CRLF` (RFC 9112, section 7.1).
enum ChunkHeader {
    static let badEnd = RequestError(400, "a chunk's data does not match its size")

    /// Returns the chunk size and the number of bytes of its extensions, which are checked and ignored.
    ///
    /// A size that does not fit in `Int` becomes `Int.max`, which is above any limit.
    static func parse(_ line: ArraySlice<UInt8>) throws(RequestError) -> (size: Int, extensionBytes: Int) {
        let digits = line.prefix { PercentEncoding.digit($0) != nil }
        guard !digits.isEmpty else { throw RequestError(400, "a chunk's size is malformed") }
        var size = 0
        for digit in digits {
            let (product, overflow) = size.multipliedReportingOverflow(by: 16)
            size = overflow ? .max : product | Int(PercentEncoding.digit(digit) ?? 0)
            if overflow { break }
        }
        var rest = line[digits.endIndex...]
        let count = rest.count
        while !rest.isEmpty {
            guard skipExtension(&rest) else { throw RequestError(400, "a chunk's extension is malformed") }
        }
        return (size, count)
    }

    /// Skips `BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ]` at the front; returns false if it is
    /// malformed (RFC 9112, section 7.1.1).
    private static func skipExtension(_ rest: inout ArraySlice<UInt8>) -> Bool {
        skipBlanks(&rest)
        guard rest.popFirst() == UInt8(ascii: ";") else { return false }
        skipBlanks(&rest)
        guard skipToken(&rest) else { return false }
        var value = rest
        skipBlanks(&value)
        guard value.first == UInt8(ascii: "=") else { return true }
        rest = value.dropFirst()
        skipBlanks(&rest)
        return rest.first == UInt8(ascii: "\"") ? skipQuotedString(&rest) : skipToken(&rest)
    }

    private static func skipBlanks(_ rest: inout ArraySlice<UInt8>) {
        rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    }

    private static func skipToken(_ rest: inout ArraySlice<UInt8>) -> Bool {
        let count = rest.count
        rest = rest.drop(while: Token.isTokenCharacter)
        return rest.count < count
    }

    /// `quoted-string` (RFC 9110, section 5.6.4).
    private static func skipQuotedString(_ rest: inout ArraySlice<UInt8>) -> Bool {
        rest.removeFirst()
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return true }
            guard let text = byte == UInt8(ascii: "\\") ? rest.popFirst() : byte, isText(text) else { return false }
        }
        return false
    }

    /// HTAB, SP, VCHAR and obs-text.
    private static func isText(_ byte: UInt8) -> Bool { byte == 0x09 || (byte >= 0x20 && byte != 0x7F) }
}
