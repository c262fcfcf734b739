/// A response: status, header fields and a body, which is complete or produced while it is sent.
public struct Response: Sendable {
    /// The status code.
    public var status: Int
    /// The header fields; framing, Date and Connection are added when it is sent.
    public var headers: HeaderFields
    /// The body; empty if there is a ``stream``.
    public var body: [UInt8]
    /// Produces the body while it is sent.
    public var stream: (any BodyStream)?

    /// Creates a response.
    public init(_ status: Int, headers: HeaderFields = [:], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// Creates a response with a body of `contentType` produced by `stream`.
    public init(_ status: Int, contentType: String, stream: any BodyStream) {
        self.init(status, headers: ["Content-Type": contentType])
        self.stream = stream
    }

    /// Creates a response with a body of `contentType`.
    public init(_ status: Int, contentType: String, body: some Sequence<UInt8>) {
        self.init(status, headers: ["Content-Type": contentType], body: Array(body))
    }

    /// Returns the reason phrase of a status (RFC 9110, section 15).
    public static func reason(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 102: "Processing"
        case 200: "OK"
        case 204: "No Content"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 505: "HTTP Version Not Supported"
        default: "Status \(status)"
        }
    }

    /// Returns the bytes to send, without the body that a ``stream`` produces.
    ///
    /// A response to HEAD has all fields and no body; `date` is an IMF-fixdate (RFC 9110, section 5.6.7).
    public func serialized(keepAlive: Bool, isHead: Bool, isHTTP1_0: Bool = false, date: String) -> [UInt8] {
        var text = "HTTP/1.1 \(status) \(Self.reason(status))\r\nDate: \(date)\r\n"
        for field in headers.fields { text += "\(field.name): \(field.value)\r\n" }
        if stream != nil {
            // HTTP/1.0 has no transfer codings: the end of the connection ends the body (RFC 9112, section 6.1).
            if !isHTTP1_0 { text += "Transfer-Encoding: chunked\r\n" }
        } else if status != 204 {
            // 204 has no body and no length (RFC 9110, section 8.6).
            text += "Content-Length: \(body.count)\r\n"
        }
        // An HTTP/1.0 client must be told that the connection stays open (RFC 9112, section 9.3).
        text += keepAlive ? (isHTTP1_0 ? "Connection: keep-alive\r\n\r\n" : "\r\n") : "Connection: close\r\n\r\n"
        return Array(text.utf8) + (isHead || status == 204 ? [] : body)
    }
}
