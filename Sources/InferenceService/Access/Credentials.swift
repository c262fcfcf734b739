import HTTP

/// The keys that a request carries, each in one field.
struct Credentials {
    /// The keys; nil for a field that is repeated, or not a key in a known form.
    let secrets: [String?]

    /// Reads `Authorization` with a bearer token (RFC 6750, section 2.1) or with Basic (RFC 7617), and `X-API-Key`.
    init(_ head: RequestHead) {
        func secret(_ name: String, _ read: (String) -> String?) -> [String?] {
            guard head.headers.contains(name) else { return [] }
            guard let field = head.headers[name], field.utf8.count <= 1024 else { return [nil] }
            return [read(field)]
        }
        secrets = secret("authorization", Self.authorization) + secret("x-api-key") { $0.isEmpty ? nil : $0 }
    }

    private static func authorization(_ field: String) -> String? {
        let words = field.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2 else { return nil }
        switch words[0].lowercased() {
        case "bearer": return String(words[1])
        case "basic": return basic(words[1])
        default: return nil
        }
    }

    /// Returns the password, or the user name if the password is empty.
    private static func basic(_ text: Substring) -> String? {
        let token = JSONReader.StringToken(bytes: Array(text.utf8)[...], hasEscapes: false)
        guard let bytes = Base64.decode(token), let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else { return nil }
        let (user, password) = (bytes[..<colon], bytes[(colon + 1)...])
        let secret = password.isEmpty ? user : password
        return secret.isEmpty ? nil : String(validating: secret, as: UTF8.self)
    }
}
