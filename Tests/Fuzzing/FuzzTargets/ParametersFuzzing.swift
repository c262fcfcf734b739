import HTTP
import InferenceService

extension FuzzTarget {
    /// Field values with parameters, such as Content-Type and Content-Disposition: a parsed, well-formed value can be
    /// written and read again.
    static func runParameters(_ bytes: [UInt8]) {
        guard isFieldValue(bytes[...]) else { return }
        let field = ParameterizedField(String(decoding: bytes, as: UTF8.self))
        require(field.value == field.value.lowercased(), "the value is lowercase")
        for value in field.parameters.values {
            checkEncodedWords(value)
            // Any text can be decoded, and what is not an encoded word stays.
            let decoded = EncodedWord.decode(value)
            if !value.utf8.contains(UInt8(ascii: "?")) { require(decoded == value, "other text is kept") }
        }
        let parameters = field.parameters.filter { isToken($0.key) }
        guard isToken(field.value) else { return }
        let members = parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\(quoted($0.value))" }
        for escapes in [ParameterizedField.Escapes.standard, .formData] {
            let again = ParameterizedField(([field.value] + members).joined(separator: "; "), escapes: escapes)
            require(
                again.value == field.value && again.parameters == parameters,
                "a quoted parameter can be read again"
            )
        }
    }

    /// Whether a parsed head could contain `bytes` as a field value.
    static func isFieldValue(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }
    }

    /// `quoted-string` (RFC 9110, section 5.6.4).
    static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            if scalar == "\"" || scalar == "\\" { result += "\\" }
            result.unicodeScalars.append(scalar)
        }
        return result + "\""
    }

    private static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"\"(),:;<=>?@[\\]{}".utf8.contains($0) }
    }
}
