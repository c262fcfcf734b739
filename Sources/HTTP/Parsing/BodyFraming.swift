/// Framing of a request body, from the header fields (RFC 9112, section 6).
public enum BodyFraming: Sendable, Hashable {
    /// There is no body.
    case none
    /// The given number of bytes follows.
    case length(Int)
    /// Chunks follow, each preceded by its size.
    case chunked

    /// Whether bytes follow the head.
    public var hasBody: Bool { self != .none && self != .length(0) }

    /// Announced size of the body in bytes; 0 for chunks.
    var announcedBytes: Int { if case .length(let count) = self { count } else { 0 } }

    /// Determines the framing of the body of `head`.
    ///
    /// Anything that a proxy in front of the server might interpret differently is rejected: repeated or conflicting
    /// fields, and other codings.
    init(_ head: RequestHead) throws(RequestError) {
        let lengths = head.headers.all("content-length")
        if head.headers.contains("transfer-encoding") {
            guard lengths.isEmpty else {
                throw RequestError(400, "Content-Length and Transfer-Encoding cannot be combined")
            }
            guard head.version == .http1_1 else {
                throw RequestError(400, "Transfer-Encoding is not allowed in HTTP/1.0")
            }
            let codings = head.headers.members("transfer-encoding")
            // If chunked is not last, the end of the body cannot be determined (section 6.3).
            guard codings.last == "chunked" else {
                throw RequestError(400, "Transfer-Encoding must end in 'chunked'")
            }
            guard codings.filter({ $0 == "chunked" }).count == 1 else {
                throw RequestError(400, "Transfer-Encoding contains 'chunked' twice")
            }
            guard codings.count == 1 else {
                throw RequestError(501, "the only supported transfer coding is chunked")
            }
            self = .chunked
            return
        }
        guard !lengths.isEmpty else {
            self = .none
            return
        }
        guard lengths.count == 1, let length = Self.contentLength(lengths[0].utf8) else {
            throw RequestError(400, "Content-Length must be one whole number")
        }
        self = .length(length)
    }

    /// Parses `Content-Length = 1*DIGIT` (RFC 9110, section 8.6).
    ///
    /// Signs, blanks and lists are rejected: a proxy in front of the server that interprets the field differently
    /// would frame the body differently (request smuggling). A number that does not fit in `Int` becomes `Int.max`,
    /// which is above any limit.
    static func contentLength(_ field: some Collection<UInt8>) -> Int? {
        guard !field.isEmpty else { return nil }
        var value = 0
        for byte in field {
            guard (0x30...0x39).contains(byte) else { return nil }
            let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = product.addingReportingOverflow(Int(byte - 0x30))
            value = tooLarge || overflow ? .max : sum
        }
        return value
    }
}
