/// The request-target of a request line (RFC 9112, section 3.2).
struct RequestTarget {
    let path: String
    let rawQuery: String

    /// Accepts origin-form, absolute-form with http or https, and `*` for OPTIONS.
    init(parsing bytes: ArraySlice<UInt8>, method: String) throws(RequestError) {
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }) else {
            throw RequestError(400, "the request-target is malformed")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        if text == "*" {
            guard method == "OPTIONS" else { throw RequestError(400, "'*' as the request-target is for OPTIONS only") }
            (path, rawQuery) = ("*", "")
            return
        }
        var origin = text[...]
        if !text.hasPrefix("/") {
            guard let scheme = ["http://", "https://"].first(where: { text.lowercased().hasPrefix($0) }) else {
                throw RequestError(400, "the request-target must be a path or an absolute http URI")
            }
            let rest = text.dropFirst(scheme.count)
            let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
            guard HostField.isValid(String(rest[..<end])) else {
                throw RequestError(400, "the request-target names no valid host")
            }
            origin = rest[end...]
            if !origin.hasPrefix("/") { origin = "/" + origin }
        }
        let parts = origin.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        // An encoded slash is no separator (RFC 3986, section 2.2), and nothing here has one in its name.
        guard !parts[0].lowercased().contains("%2f"), let decoded = PercentEncoding.decode(parts[0].utf8),
            let path = String(validating: decoded, as: UTF8.self), !decoded.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else { throw RequestError(400, "the path's percent-encoding is malformed") }
        self.path = path
        rawQuery = parts.count > 1 ? String(parts[1]) : ""
    }
}

/// The Host field's value, `uri-host [ ":" port ]` (RFC 9110, section 7.2).
enum HostField {
    /// Whether `value` is a host with an optional port; user information is not allowed.
    static func isValid(_ value: String) -> Bool {
        var host = value[...]
        if value.hasPrefix("[") {
            guard let end = value.firstIndex(of: "]") else { return false }
            let literal = value[value.index(after: value.startIndex)..<end]
            guard !literal.isEmpty, literal.contains(":"),
                literal.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return false }
            host = value[value.index(after: end)...]
            return host.isEmpty || isPort(host)
        }
        if let colon = value.firstIndex(of: ":") {
            guard isPort(value[colon...]) else { return false }
            host = value[..<colon]
        }
        // reg-name: unreserved, percent-encoded, sub-delims
        return !host.isEmpty
            && host.utf8.allSatisfy { byte in
                Token.isUnreserved(byte) || "%!$&'()*+,;=".utf8.contains(byte)
            }
    }

    private static func isPort(_ text: Substring) -> Bool {
        guard text.first == ":" else { return false }
        let digits = text.dropFirst()
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), digits.count <= 5 else { return false }
        return digits.isEmpty || (Int(digits).map { $0 <= 65_535 } ?? false)
    }
}

/// The character classes of HTTP's grammar.
enum Token {
    /// `tchar` (RFC 9110, section 5.6.2).
    static func isTokenCharacter(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// `unreserved` (RFC 3986, section 2.3).
    static func isUnreserved(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || "-._~".utf8.contains(byte) }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }
}
