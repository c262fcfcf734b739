/// Cross-origin resource sharing (the Fetch standard, CORS): the origins whose pages may call the server; none by
/// default.
package struct CORSPolicy: Sendable {
    private let origins: Set<String>

    /// Allows pages of `origins`, which may include "null" (files and sandboxed pages) and origins of browser
    /// extensions; "*" allows all pages.
    package init(origins: Set<String>) { self.origins = origins }

    /// Returns the origin of `head`, or "*", if it is allowed.
    private func origin(_ head: RequestHead) -> String? {
        guard let origin = head.headers["origin"] else { return nil }
        return origins.contains("*") ? "*" : origins.contains(origin) ? origin : nil
    }

    /// Adds the fields that let the page read `response`.
    package func apply(to response: inout Response, _ head: RequestHead) {
        guard !origins.isEmpty else { return }
        response.headers.append("Vary", "Origin")
        guard let origin = origin(head) else { return }
        response.headers.append("Access-Control-Allow-Origin", origin)
        response.headers.append("Access-Control-Expose-Headers", "X-Request-ID, Retry-After, Server-Timing")
    }

    /// Adds the preflight fields to the response to OPTIONS.
    package func preflight(_ response: inout Response, _ head: RequestHead, allowed: String) {
        guard origin(head) != nil, head.headers.contains("access-control-request-method") else { return }
        response.headers.append("Access-Control-Allow-Methods", allowed)
        response.headers.append(
            "Access-Control-Allow-Headers",
            "Authorization, X-API-Key, Content-Type, Content-Encoding, X-Request-ID, X-Request-Timeout, traceparent"
        )
        response.headers.append("Access-Control-Max-Age", "600")
    }
}
