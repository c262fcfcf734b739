/// Character sets of encoded header fields.
enum TextCharset {
    case utf8, latin1

    /// Returns the character set named `name`; nil if it is not supported.
    init?(_ name: some StringProtocol) {
        // A language may follow an asterisk (RFC 2231, section 5).
        switch String(decoding: name.utf8.prefix { $0 != UInt8(ascii: "*") }, as: UTF8.self).lowercased() {
        case "utf-8", "us-ascii": self = .utf8
        case "iso-8859-1": self = .latin1
        default: return nil
        }
    }

    /// Returns the text of `bytes`; nil if they are not valid.
    func decode(_ bytes: [UInt8]) -> String? {
        switch self {
        case .utf8: return String(validating: bytes, as: UTF8.self)
        case .latin1:
            var text = ""
            text.unicodeScalars.append(contentsOf: bytes.map { UnicodeScalar($0) })
            return text
        }
    }
}
