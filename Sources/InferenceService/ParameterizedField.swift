import HTTP

/// A field value with parameters, `value; name=token; name="quoted"` (RFC 9110, sections 5.6.4 and 5.6.6).
package struct ParameterizedField {
    /// The value, in lower case.
    package let value: String
    /// The parameters by their names in lower case; of one that stands twice the first counts.
    package private(set) var parameters: [String: String] = [:]

    package init(_ text: some StringProtocol) {
        var pieces: [String] = [""]
        var isQuoted = false
        var isEscaped = false
        for character in text {
            // Within quotes a semicolon is text, and a backslash takes the next character as it is.
            if !isQuoted, character == ";" {
                pieces.append("")
                continue
            }
            if character == "\"", !isEscaped { isQuoted.toggle() }
            isEscaped = isQuoted && character == "\\" && !isEscaped
            pieces[pieces.count - 1].append(character)
        }
        value = pieces[0].trimmed.lowercased()
        for piece in pieces.dropFirst() {
            let pair = piece.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { continue }
            let name = pair[0].trimmed.lowercased()
            if parameters[name] == nil { parameters[name] = Self.unquoted(pair[1].trimmed) }
        }
    }

    private static func unquoted(_ text: String) -> String {
        guard text.count >= 2, text.hasPrefix("\""), text.hasSuffix("\"") else { return text }
        var result = ""
        var isEscaped = false
        for character in text.dropFirst().dropLast() {
            if character == "\\", !isEscaped {
                isEscaped = true
                continue
            }
            isEscaped = false
            result.append(character)
        }
        return result
    }
}
