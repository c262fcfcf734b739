import Foundation
import HTTP

/// Context of a request: its properties and the timings of its processing.
struct RequestContext: Sendable {
    /// The request ID, also used in the response and the log line.
    let id: String
    /// The route; nil if there is none.
    let route: Route?
    /// The trace that the request is part of.
    let trace: TraceContext?
    /// When the request was complete; before that, when its head was.
    private(set) var start = ContinuousClock.now
    /// The key of the request, after it was checked.
    var key: APIKeys.Key?
    /// The client's address, if addresses are logged.
    var client: String?
    /// When the request times out.
    var deadline: ContinuousClock.Instant?
    /// Messages for the client that accompany each score.
    var warnings: [String] = []
    /// Why the request got an error, for the log.
    var reason: String?
    /// Number of form fields that were ignored.
    private(set) var ignoredFields = 0
    /// Timings of the request.
    var timings = Timings()

    /// Durations of a request's stages; zero for stages that were not needed.
    struct Timings: Sendable {
        var decoding = Duration.zero
        var queued = Duration.zero
        var engine = Duration.zero
    }

    init(_ head: RequestHead) {
        id = RequestID.of(head)
        route = Route(path: head.path)
        trace = TraceContext(head)
    }

    /// Creates a context for bytes that are not a valid request.
    init() {
        id = RequestID.fresh()
        route = nil
        trace = nil
    }

    /// Starts the request's time: its body is complete, and it times out after `timeout`.
    mutating func begin(timeout: Duration) {
        start = .now
        deadline = start + timeout
    }

    /// Notes that `count` fields of a form were ignored; their names are not kept.
    mutating func ignore(fields count: Int) {
        guard count > 0 else { return }
        ignoredFields = count
        warnings.append(
            "\(count) form field\(count == 1 ? "" : "s") other than 'image' \(count == 1 ? "was" : "were") ignored"
        )
    }

    /// Returns the timeout in seconds from `X-Request-Timeout`; nil if there is none.
    static func timeout(_ head: RequestHead) throws(ServiceError) -> Double? {
        guard head.headers.contains("x-request-timeout") else { return nil }
        guard let text = head.headers["x-request-timeout"], let seconds = Double(text), seconds > 0, seconds.isFinite
        else { throw ServiceError(400, "X-Request-Timeout must be a number of seconds above 0") }
        // Far longer than any batch, and no overflow as a duration.
        return min(seconds, 1e9)
    }

    /// The `Server-Timing` field (W3C), in milliseconds: the stages of an image, and the total.
    var serverTiming: String {
        func part(_ name: String, _ duration: Duration) -> String {
            "\(name);dur=\(String(format: "%.2f", duration / .milliseconds(1)))"
        }
        let total = part("total", .now - start)
        guard route?.takesImage == true else { return total }
        return [
            part("decode", timings.decoding), part("queue", timings.queued), part("inference", timings.engine), total,
        ].joined(separator: ", ")
    }
}
