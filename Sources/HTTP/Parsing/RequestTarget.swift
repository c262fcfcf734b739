/// The request-target of a request line (RFC 9112, section 3.2).
package struct RequestTarget {
    /// The percent-decoded path.
    package let path: String
    package let rawQuery: String

    /// Accepts origin-form, absolute-form with http or https, authority-form for CONNECT, and `*` for OPTIONS.
    package init(parsing bytes: ArraySlice<UInt8>, method: String) throws(RequestError) {
        let text = String(decoding: bytes, as: UTF8.self)
        if method == "CONNECT" {
            guard HostField.isValid(text, needsPort: true) else {
                throw RequestError(400, "the request-target of CONNECT must be a host and a port")
            }
            (path, rawQuery) = (text, "")
            return
        }
        if text == "*" {
            guard method == "OPTIONS" else {
                throw RequestError(400, "the request-target '*' is allowed only for OPTIONS")
            }
            (path, rawQuery) = ("*", "")
            return
        }
        let origin = try Self.origin(text, method: method)
        if origin == "*" {
            (path, rawQuery) = ("*", "")
            return
        }
        let parts = origin.utf8.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts[0].allSatisfy({ Token.isPathCharacter($0) || $0 == UInt8(ascii: "/") }),
            parts.dropFirst().allSatisfy({ query in
                query.allSatisfy { Token.isPathCharacter($0) || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            })
        else { throw RequestError(400, "the request-target contains characters that must be percent-encoded") }
        guard let decoded = PercentEncoding.decode(parts[0]), !decoded.contains(where: { $0 < 0x20 || $0 == 0x7F })
        else {
            throw RequestError(400, "the path's percent-encoding is malformed")
        }
        // An encoded slash is not a separator (RFC 3986, section 2.2). A path with an encoded slash or invalid UTF-8
        // is kept as received; it matches no route.
        let isName = decoded.count { $0 == UInt8(ascii: "/") } == parts[0].count { $0 == UInt8(ascii: "/") }
        let name = isName ? String(validating: decoded, as: UTF8.self) : nil
        let query = parts.count > 1 ? String(decoding: parts[1], as: UTF8.self) : ""
        guard PercentEncoding.decode(query.utf8) != nil else {
            throw RequestError(400, "the query's percent-encoding is malformed")
        }
        path = name ?? String(decoding: parts[0], as: UTF8.self)
        rawQuery = query
    }

    /// Returns the path and query of an origin-form or absolute-form target.
    private static func origin(_ text: String, method: String) throws(RequestError) -> String {
        if text.utf8.first == UInt8(ascii: "/") { return text }
        let lowered = text.lowercased()
        guard let scheme = ["http://", "https://"].first(where: { lowered.hasPrefix($0) }) else {
            throw RequestError(400, "the request-target must be a path or an absolute http URI")
        }
        let rest = text.utf8.dropFirst(scheme.utf8.count)
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        guard HostField.isValid(String(decoding: authority, as: UTF8.self)) else {
            throw RequestError(400, "the request-target does not contain a valid host")
        }
        let origin = String(decoding: rest.dropFirst(authority.count), as: UTF8.self)
        if origin.isEmpty { return method == "OPTIONS" ? "*" : "/" }
        return origin.hasPrefix("?") ? "/" + origin : origin
    }
}
