/// Parser of request lines and field lines (RFC 9112, sections 3 and 5).
enum HeadParser {
    /// Parses `method SP request-target SP HTTP-version`, separated by single spaces.
    static func requestLine(_ line: ArraySlice<UInt8>) throws(RequestError) -> RequestHead {
        let parts = line.split(separator: 0x20, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(Token.isTokenCharacter) else {
            throw RequestError(400, "the request line is malformed")
        }
        let method = String(decoding: parts[0], as: UTF8.self)
        // The version is checked first: another version may have other methods and targets.
        let version = try version(parts[2])
        guard Method.isRegistered(method) else { throw RequestError(501, "unknown method") }
        let target = try RequestTarget(parsing: parts[1], method: method)
        return RequestHead(method: method, path: target.path, rawQuery: target.rawQuery, version: version)
    }

    private static func version(_ bytes: ArraySlice<UInt8>) throws(RequestError) -> RequestHead.Version {
        let text = String(decoding: bytes, as: UTF8.self)
        switch text {
        case "HTTP/1.1": return .http1_1
        case "HTTP/1.0": return .http1_0
        default:
            let digits = text.dropFirst(5).utf8
            let isVersion =
                text.hasPrefix("HTTP/") && digits.count == 3 && digits.dropFirst().first == UInt8(ascii: ".")
                && [digits.first, digits.last].allSatisfy { (0x30...0x39).contains($0 ?? 0) }
            guard isVersion else { throw RequestError(400, "the request line is malformed") }
            // A later minor version of HTTP/1 is to be treated as 1.1 (RFC 9110, section 6.2).
            guard digits.first == UInt8(ascii: "1") else {
                throw RequestError(505, "only HTTP/1.1 and HTTP/1.0 are supported")
            }
            return .http1_1
        }
    }

    /// Parses `field-name ":" OWS field-value OWS`; line folding, a space before the colon and control bytes are
    /// errors.
    static func fieldLine(_ line: ArraySlice<UInt8>) throws(RequestError) -> (name: String, value: String) {
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
            throw RequestError(400, "a header field has no colon")
        }
        let name = line[..<colon]
        guard !name.isEmpty, name.allSatisfy(Token.isTokenCharacter) else {
            throw RequestError(400, "a header field's name is malformed")
        }
        let value = line[line.index(after: colon)...]
        guard value.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }) else {
            throw RequestError(400, "a header field's value contains control characters")
        }
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self).trimmed)
    }

    /// Checks the rules that apply to a complete head.
    static func check(_ head: RequestHead) throws(RequestError) {
        let hosts = head.headers.all("host")
        guard hosts.count == 1 || (hosts.isEmpty && head.version == .http1_0) else {
            throw RequestError(400, hosts.isEmpty ? "Host is missing" : "more than one Host")
        }
        if let host = hosts.first, !host.isEmpty, !HostField.isValid(host) {
            throw RequestError(400, "Host is malformed")
        }
        let expectations = head.headers.members("expect")
        guard head.version == .http1_0 || expectations.allSatisfy({ $0 == "100-continue" }) else {
            throw RequestError(417, "the only supported expectation is 100-continue")
        }
    }
}
