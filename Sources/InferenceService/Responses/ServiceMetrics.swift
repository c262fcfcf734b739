import Codecs
import DIA
import HTTP
import Metrics
import ModelFile

/// Metrics of the service.
///
/// A label must not contain an ID, a path or anything else from a client.
struct ServiceMetrics: Sendable {
    /// Why a request or job was rejected before the engine ran it.
    enum Rejection: String, CaseIterable {
        /// The queue is full or too long for the job's deadline.
        case queueFull = "queue_full"
        /// The job's deadline passed while it waited.
        case late
        /// The key has reached its rate limit.
        case rate
    }

    private let requests, rejections, anomalous, atypical, defects, reloads: Counter
    private let inFlight: Gauge
    private let durations, scores: HistogramMetric

    init(_ registry: MetricsRegistry, version: String) {
        requests = registry.counter(
            "dia_http_requests_total",
            "Completed requests.",
            labels: Route.examples.flatMap { route in
                let methods = route.method == "GET" ? ["GET", "HEAD", "OPTIONS"] : ["POST", "OPTIONS"]
                return methods.flatMap { method in
                    route.statuses.map { Self.labels(method, route.pattern, $0) }
                }
            } + Self.invalidStatuses.map { Self.labels("other", "other", $0) }
        )
        durations = registry.histogram(
            "dia_request_duration_seconds",
            "Time from the complete request to its response.",
            bounds: HistogramMetric.seconds,
            labels: (Route.examples.map(\.pattern) + ["other"]).map { ["route": $0] }
        )
        inFlight = registry.gauge("dia_inflight_requests", "Number of requests in progress.")
        rejections = registry.counter(
            "dia_rejected_total",
            "Refused requests and jobs.",
            labels: Rejection.allCases.map { ["reason": $0.rawValue] }
        )
        scores = registry.histogram("dia_score", "Anomaly scores.", bounds: HistogramMetric.tenths, labels: [])
        anomalous = registry.counter("dia_anomalous_total", "Images classified as anomalous.", labels: [])
        atypical = registry.counter(
            "dia_atypical_input_total",
            "Images that are not like the calibration images of the model.",
            labels: []
        )
        defects = registry.counter(
            "dia_png_defects_total",
            "Tolerated faults of received PNG files.",
            labels: PNG.Defect.allCases.map { ["defect": $0.rawValue] }
        )
        reloads = registry.counter(
            "dia_reloads_total",
            "Reloads by a signal or a request.",
            labels: [true, false].map(Self.result)
        )
        registry.observed("dia_build_info", "Server version.") { [["version": version]: 1] }
    }

    /// Statuses of bytes that are not a valid request and of requests without a route.
    private static let invalidStatuses = [400, 404, 405, 408, 413, 414, 417, 431, 501, 503, 505]

    private static func labels(_ method: String, _ route: String, _ code: Int) -> LabelSet {
        ["method": method, "route": route, "code": String(code)]
    }

    private static func result(_ succeeded: Bool) -> LabelSet { ["result": succeeded ? "success" : "failure"] }

    func reloaded(succeeded: Bool) { reloads.add(1, Self.result(succeeded)) }

    func rejected(_ reason: Rejection) { rejections.add(1, ["reason": reason.rawValue]) }

    func tolerated(_ found: [PNG.Defect]) {
        for defect in found { defects.add(1, ["defect": defect.rawValue]) }
    }

    func requestBegan() { inFlight.add(1) }

    func requestEnded(method: String, route: String, code: Int, duration: Duration) {
        inFlight.add(-1)
        requests.add(1, Self.labels(method, route, code))
        durations.observe(duration, ["route": route])
    }

    /// Exports the series of the models named `names`.
    func export(models names: some Sequence<String>) {
        for name in names {
            scores.export(["model": name])
            anomalous.add(0, ["model": name])
            atypical.add(0, ["model": name])
        }
    }

    /// Counts a score of the model named `model`; a change in the distribution of scores shows a change of the input.
    func scored(_ model: String, score: Double?, verdict: ScoreObject.Verdict?) {
        if let score { scores.observe(score, ["model": model]) }
        if verdict == .anomalous { anomalous.add(1, ["model": model]) }
        if verdict == .atypicalInput { atypical.add(1, ["model": model]) }
    }
}
