/// Pages of other origins that may call from a browser (the Fetch standard, CORS); none unless they are named.
package struct CORSPolicy: Sendable {
    private let origins: Set<String>

    /// Lets pages of `origins` call.
    package init(origins: Set<String>) { self.origins = origins }

    /// The origin of `head` if it is one of those named.
    private func origin(_ head: RequestHead) -> String? {
        head.headers["origin"].flatMap { origins.contains($0) ? $0 : nil }
    }

    /// Adds what lets the page see `response`.
    package func apply(to response: inout Response, _ head: RequestHead) {
        guard !origins.isEmpty else { return }
        response.headers.append("Vary", "Origin")
        guard let origin = origin(head) else { return }
        response.headers.append("Access-Control-Allow-Origin", origin)
        response.headers.append("Access-Control-Expose-Headers", "X-Request-ID, Retry-After, Server-Timing")
    }

    /// Adds the answer to a preflight to that of OPTIONS.
    package func preflight(_ response: inout Response, _ head: RequestHead, allowed: String) {
        guard origin(head) != nil, head.headers.contains("access-control-request-method") else { return }
        response.headers.append("Access-Control-Allow-Methods", allowed)
        response.headers.append(
            "Access-Control-Allow-Headers",
            "Authorization, Content-Type, Content-Encoding, X-Request-ID, X-Request-Timeout, traceparent"
        )
        response.headers.append("Access-Control-Max-Age", "600")
    }
}
