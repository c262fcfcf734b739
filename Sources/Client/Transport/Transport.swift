public import HTTP

/// A request to the service.
public struct ServiceRequest: Sendable {
    /// The path below the server's address, percent-encoded, such as "/v1/models".
    public var path: String
    /// The query, percent-encoded, without the question mark; empty for none.
    public var query = ""
    /// The header fields, without framing and Host.
    public var headers: HeaderFields = [:]
    /// The body of a POST; nil for a GET.
    public var body: [UInt8]?
    /// Another method, such as PUT or DELETE; nil for a POST or a GET.
    public var method: String?
    /// The longest response that is accepted, in bytes.
    public var maximumResponse = 16 << 20

    /// Creates a GET.
    public init(path: String) { self.path = path }
}

/// Sends requests to a service: over a network, or within the process.
public protocol Transport: Sendable {
    /// Returns the response to `request`, of any status.
    ///
    /// Blocks the thread; may be called on several threads at the same time.
    func send(_ request: ServiceRequest) throws(ClientError) -> Response
}
