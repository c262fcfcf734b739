import HTTP
import Logging

/// Log line of one request; it contains nothing of the image, the path or the query.
struct RequestLog {
    /// The method, or "other" if no route allows it.
    let method: String
    /// The route's pattern, or "other".
    let route: String
    /// Status code of the response, or ``abandoned``.
    let status: Int
    /// Time from the complete request to the end of its response.
    let duration: Duration
    private let context: RequestContext
    private let received: (bytes: Int, ignoredFields: Int)
    private let sent: Int

    /// Status of a request whose client disconnected before the response.
    static let abandoned = 499

    init(context: RequestContext, method: String?, status: Int, received: (bytes: Int, ignoredFields: Int), sent: Int) {
        self.context = context
        self.method = ["GET", "HEAD", "POST", "OPTIONS"].first { $0 == method } ?? "other"
        route = context.route?.pattern ?? "other"
        self.status = status
        duration = .now - context.start
        self.received = received
        self.sent = sent
    }

    /// The members of the line; times in seconds.
    var metadata: Logger.Metadata {
        var members: Logger.Metadata = [
            "request_id": "\(context.id)", "method": "\(method)", "route": "\(route)",
            "status": .stringConvertible(status), "bytes_in": .stringConvertible(received.bytes),
            "bytes_out": .stringConvertible(sent), "seconds": seconds(duration),
        ]
        if status >= 400, let reason = context.reason { members["reason"] = "\(reason)" }
        if received.ignoredFields > 0 { members["ignored_fields"] = .stringConvertible(received.ignoredFields) }
        if let client = context.client { members["client"] = "\(client)" }
        if let key = context.key { members["key"] = "\(key.name)" }
        if let trace = context.trace {
            members["trace_id"] = "\(trace.traceID)"
            members["span_id"] = "\(trace.spanID)"
            members["parent_span_id"] = "\(trace.parentID)"
        }
        if context.timings.engine > .zero {
            members["decode_seconds"] = seconds(context.timings.decoding)
            members["queue_seconds"] = seconds(context.timings.queued)
            members["engine_seconds"] = seconds(context.timings.engine)
        }
        return members
    }

    private func seconds(_ duration: Duration) -> Logger.MetadataValue {
        .stringConvertible((duration / .milliseconds(0.1)).rounded() / 10_000)
    }
}
