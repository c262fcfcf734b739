/// Head of a request: request line and header fields.
public struct RequestHead: Sendable, Hashable {
    /// Supported HTTP versions.
    public enum Version: Sendable, Hashable {
        /// HTTP/1.0: keep-alive only on request, no chunked bodies.
        case http1_0
        /// HTTP/1.1.
        case http1_1
    }

    /// The method, case-sensitive.
    public var method: String
    /// The path, percent-decoded once, starting with a slash; "*" for `OPTIONS *`.
    public var path: String
    /// Names and values of the query, percent-decoded, in order.
    public var query: [(name: String, value: String)] { QueryString.parse(rawQuery) }
    /// The query as received, without the question mark.
    public var rawQuery: String
    /// The version.
    public var version: Version
    /// The header fields.
    public var headers: HeaderFields

    /// Creates a head.
    public init(
        method: String,
        path: String,
        rawQuery: String = "",
        version: Version = .http1_1,
        headers: HeaderFields = [:]
    ) {
        self.method = method
        self.path = path
        self.rawQuery = rawQuery
        self.version = version
        self.headers = headers
    }

    /// Whether the connection stays open after the response (RFC 9112, section 9.3).
    public var keepsAlive: Bool {
        let options = headers.members("connection")
        if options.contains("close") { return false }
        return version == .http1_1 || options.contains("keep-alive")
    }

    /// Whether the client waits for "100 Continue" before it sends the body (RFC 9110, section 10.1.1).
    public var expectsContinue: Bool {
        version == .http1_1 && headers.members("expect").contains("100-continue")
    }
}

/// A complete request.
public struct Request: Sendable, Hashable {
    /// The head.
    public var head: RequestHead
    /// The body with all chunks joined; empty if there is none.
    public var body: [UInt8]

    /// Creates a request.
    public init(head: RequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}

/// Why a request cannot be parsed or served.
///
/// The connection is closed after the response, because the following bytes cannot be interpreted.
public struct RequestError: Error, Sendable, Hashable {
    /// Status code of the response.
    public var status: Int
    /// Description of the error for the client.
    public var reason: String

    /// Creates an error with the response status `status`.
    public init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
