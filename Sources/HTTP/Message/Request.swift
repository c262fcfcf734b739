/// A request's head: what stands before the body.
public struct RequestHead: Sendable, Hashable {
    /// The versions that are spoken.
    public enum Version: Sendable, Hashable {
        /// HTTP/1.0: no keep-alive unless asked for, no chunked bodies.
        case http1_0
        /// HTTP/1.1.
        case http1_1
    }

    /// The method, case-sensitive.
    public var method: String
    /// The path, percent-decoded once, starting with a slash; "*" for `OPTIONS *`.
    public var path: String
    /// The query's names and values, percent-decoded, in order.
    public var query: [(name: String, value: String)] { QueryString.parse(rawQuery) }
    /// The query as it came, without the question mark.
    public var rawQuery: String
    /// The version.
    public var version: Version
    /// The header fields.
    public var headers: HeaderFields

    /// A head.
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

    /// Whether the sender lets the connection live on after the answer (RFC 9112, section 9.3).
    public var keepsAlive: Bool {
        let options = headers.members("connection")
        if options.contains("close") { return false }
        return version == .http1_1 || options.contains("keep-alive")
    }

    /// Whether the sender waits for "100 Continue" before the body (RFC 9110, section 10.1.1).
    public var expectsContinue: Bool {
        version == .http1_1 && headers.members("expect").contains("100-continue")
    }
}

/// A whole request.
public struct Request: Sendable, Hashable {
    /// The head.
    public var head: RequestHead
    /// The body, chunks joined; empty if there is none.
    public var body: [UInt8]

    /// A request.
    public init(head: RequestHead, body: [UInt8] = []) {
        self.head = head
        self.body = body
    }
}

/// Why a request cannot be served; the connection is closed after the answer, since what follows on it
/// cannot be told apart.
public struct RequestError: Error, Sendable, Hashable {
    /// The status of the answer.
    public var status: Int
    /// What is wrong, for the sender.
    public var reason: String

    /// An error answered with `status`.
    public init(_ status: Int, _ reason: String) {
        self.status = status
        self.reason = reason
    }
}
