import Foundation
import HTTP

/// What is known of a request besides itself, and what its work has taken.
struct RequestContext {
    /// The id that ties the request, its answer and its log line together.
    let id: String
    /// Where it goes; nil if there is nothing.
    let route: Route?
    /// The trace that it is part of.
    let trace: TraceContext?
    /// When it was whole.
    let start = ContinuousClock.now
    /// The key that it came with, once that was looked at.
    var key: APIKeys.Key?
    /// The address of its client, as far as the log holds it.
    var client: String?
    /// When its sender will not want the answer any more.
    var deadline: ContinuousClock.Instant?
    /// What its work took.
    var timings = Timings()

    /// The durations of a request's stages; zero for those that it did not need.
    struct Timings {
        var decoding = Duration.zero
        var queued = Duration.zero
        var engine = Duration.zero
    }

    init(_ head: RequestHead) {
        id = RequestID.of(head)
        route = Route(path: head.path)
        trace = TraceContext(head)
    }

    /// A context for bytes that are no request.
    init() {
        id = RequestID.fresh()
        route = nil
        trace = nil
    }

    /// The seconds that `X-Request-Timeout` gives the answer, `maximum` at most and by default.
    static func timeout(_ head: RequestHead, maximum: Double) throws(ServiceError) -> Double {
        guard head.headers.contains("x-request-timeout") else { return maximum }
        guard let text = head.headers["x-request-timeout"], let seconds = Double(text), seconds > 0, seconds.isFinite
        else { throw ServiceError(400, "X-Request-Timeout is a number of seconds above 0") }
        return min(seconds, maximum)
    }

    /// The `Server-Timing` field (W3C), in milliseconds.
    var serverTiming: String {
        func part(_ name: String, _ duration: Duration) -> String {
            "\(name);dur=\(String(format: "%.2f", duration / .milliseconds(1)))"
        }
        return [
            part("decode", timings.decoding), part("queue", timings.queued), part("inference", timings.engine),
            part("total", .now - start),
        ].joined(separator: ", ")
    }
}
