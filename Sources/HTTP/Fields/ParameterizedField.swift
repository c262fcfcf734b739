/// A field value with parameters, `value; name=token; name="quoted"` (RFC 9110, sections 5.6.4 and 5.6.6).
package struct ParameterizedField {
    /// The value in lowercase.
    package let value: String
    /// The parameters by lowercase name; if a name appears twice, the first one is used.
    package private(set) var parameters: [String: String] = [:]

    /// What a backslash within quotes means.
    package enum Escapes {
        /// It takes the next character as it is (RFC 9110, section 5.6.4).
        case standard
        /// It does so only before a quote or a backslash: browsers send file names with backslashes as they are, other
        /// clients escape these two.
        case formData

        fileprivate func escape(_ byte: UInt8?) -> Bool {
            self == .standard || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
        }
    }

    /// Parses `text` by bytes, not by characters: a combining mark must not hide a semicolon or a quote.
    package init(_ text: some StringProtocol, escapes: Escapes = .standard) {
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
            if parameters[name] == nil { parameters[name] = Self.unquoted(trimmed(pair[1]), escapes) }
        }
    }

    private static func unquoted(_ text: String, _ escapes: Escapes) -> String {
        let quote = UInt8(ascii: "\"")
        let bytes = text.utf8
        guard bytes.count >= 2, bytes.first == quote, bytes.last == quote else { return text }
        var result: [UInt8] = []
        var rest = Array(bytes.dropFirst().dropLast())[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), escapes.escape(rest.first) {
                if let next = rest.popFirst() { result.append(next) }
            } else {
                result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
