/// A field value with parameters, `value; name=token; name="quoted"` (RFC 9110, sections 5.6.4 and 5.6.6).
package struct ParameterizedField {
    /// The value in lowercase.
    package let value: String
    /// The parameters by lowercase name; if a name appears twice, the first one is used.
    package private(set) var parameters: [String: String] = [:]

    /// Parses `text` by bytes, not by characters: a combining mark must not hide a semicolon or a quote.
    package init(_ text: some StringProtocol) {
        var pieces: [[UInt8]] = [[]]
        var isQuoted = false
        var isEscaped = false
        for byte in text.utf8 {
            // Within quotes a semicolon is text, and a backslash takes the next byte as it is.
            if !isQuoted, byte == UInt8(ascii: ";") {
                pieces.append([])
                continue
            }
            if byte == UInt8(ascii: "\""), !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && byte == UInt8(ascii: "\\") && !isEscaped
            pieces[pieces.count - 1].append(byte)
        }
        func trimmed(_ bytes: some Collection<UInt8>) -> String { String(decoding: bytes, as: UTF8.self).trimmed }
        value = trimmed(pieces[0]).lowercased()
        for piece in pieces.dropFirst() {
            let pair = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = trimmed(pair[0]).lowercased()
            if parameters[name] == nil { parameters[name] = Self.unquoted(trimmed(pair[1])) }
        }
    }

    private static func unquoted(_ text: String) -> String {
        let quote = UInt8(ascii: "\"")
        let bytes = text.utf8
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return text }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in bytes.dropFirst().dropLast() {
            isEscaped = byte == UInt8(ascii: "\\") && !isEscaped
            if !isEscaped { result.append(byte) }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
