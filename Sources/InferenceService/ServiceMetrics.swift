import DIA
import Synchronization

/// What the service counts, and its Prometheus text (version 0.0.4).
///
/// No label ever holds an id, a path or anything else from outside.
public final class ServiceMetrics: Sendable {
    private struct RequestKey: Hashable {
        let method, route: String
        let code: Int
    }

    private struct State {
        var requests: [RequestKey: Int] = [:]
        var durations: [String: Histogram] = [:]
        var queued = Histogram(bounds: Histogram.seconds)
        var inference: [String: Histogram] = [:]
        var batches = Histogram(bounds: Histogram.sizes)
        var rejected: [String: Int] = [:]
        var queueDepth = 0
        var queueCapacity = 0
        var inFlight = 0
        var engineSeconds = 0.0
        var scores: [String: Histogram] = [:]
        var anomalous: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// Metrics at zero.
    public init() {}

    func set(queueDepth: Int) { state.withLock { $0.queueDepth = queueDepth } }
    func set(queueCapacity: Int) { state.withLock { $0.queueCapacity = queueCapacity } }
    func rejected(_ reason: String) { state.withLock { $0.rejected[reason, default: 0] += 1 } }
    func requestBegan() { state.withLock { $0.inFlight += 1 } }

    func requestEnded(method: String, route: String, code: Int, duration: Duration) {
        state.withLock { state in
            state.inFlight -= 1
            state.requests[RequestKey(method: method, route: route, code: code), default: 0] += 1
            state.durations[route, default: Histogram(bounds: Histogram.seconds)].observe(duration / .seconds(1))
        }
    }

    func observe(queued: Duration) { state.withLock { $0.queued.observe(queued / .seconds(1)) } }

    func observe(batch: Int, kind: String, inference: Duration) {
        state.withLock { state in
            state.batches.observe(Double(batch))
            state.engineSeconds += inference / .seconds(1)
            state.inference[kind, default: Histogram(bounds: Histogram.seconds)].observe(inference / .seconds(1))
        }
    }

    /// Counts a score of the model called `model`: how they are spread shows whether what comes has changed.
    func scored(_ model: String, _ calibration: Calibration?, normality: Double) {
        guard let calibration, let score = calibration.score(normality) else { return }
        let isAnomalous = calibration.threshold.map { normality < $0 } ?? false
        state.withLock { state in
            state.scores[model, default: Histogram(bounds: Histogram.tenths)].observe(score)
            state.anomalous[model, default: 0] += isAnomalous ? 1 : 0
        }
    }

    /// The text of all metrics; `models` gives name, version and digest of each model.
    package func text(models: [(name: String, version: String, digest: String)], version: String) -> String {
        let state = state.withLock { $0 }
        var text = ""
        func family(_ name: String, _ type: String, _ help: String, _ lines: String) {
            guard !lines.isEmpty else { return }
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n\(lines)"
        }
        func lines(_ values: [String: Histogram], _ name: String, _ label: String) -> String {
            values.sorted { $0.key < $1.key }.map { $0.value.lines(name, labels: "\(label)=\"\($0.key)\",") }.joined()
        }
        family(
            "dia_http_requests_total",
            "counter",
            "Requests answered.",
            state.requests.map { key, count in
                "dia_http_requests_total{method=\"\(key.method)\",route=\"\(key.route)\",code=\"\(key.code)\"} \(count)\n"
            }.sorted().joined()
        )
        let duration = "dia_request_duration_seconds"
        family(
            duration,
            "histogram",
            "Time from a whole request to its answer.",
            lines(state.durations, duration, "route")
        )
        let queued = "dia_queue_duration_seconds"
        family(queued, "histogram", "Time that work waited for the engine.", state.queued.lines(queued))
        let inference = "dia_inference_duration_seconds"
        family(inference, "histogram", "Time of one batch in the engine.", lines(state.inference, inference, "stage"))
        family(
            "dia_engine_busy_seconds_total",
            "counter",
            "Time that the engine has run.",
            "dia_engine_busy_seconds_total \(state.engineSeconds)\n"
        )
        family("dia_score", "histogram", "Anomaly scores.", lines(state.scores, "dia_score", "model"))
        family(
            "dia_anomalous_total",
            "counter",
            "Images called anomalous.",
            state.anomalous.map { "dia_anomalous_total{model=\"\($0.key)\"} \($0.value)\n" }.sorted().joined()
        )
        family("dia_batch_size", "histogram", "Pieces of work run together.", state.batches.lines("dia_batch_size"))
        for (name, help, value) in [
            ("dia_queue_depth", "Pieces of work waiting.", state.queueDepth),
            ("dia_queue_capacity", "Pieces of work that may wait.", state.queueCapacity),
            ("dia_inflight_requests", "Requests not answered yet.", state.inFlight),
        ] {
            family(name, "gauge", help, "\(name) \(value)\n")
        }
        family(
            "dia_rejected_total",
            "counter",
            "Work refused.",
            state.rejected.map { "dia_rejected_total{reason=\"\($0.key)\"} \($0.value)\n" }.sorted().joined()
        )
        family(
            "dia_model_info",
            "gauge",
            "The models served.",
            models.map {
                "dia_model_info{model=\"\($0.name)\",version=\"\(Self.escaped($0.version))\",digest=\"\($0.digest)\"} 1\n"
            }.joined()
        )
        family("dia_build_info", "gauge", "The server's version.", "dia_build_info{version=\"\(version)\"} 1\n")
        return text + ProcessMetrics.text()
    }

    private static func escaped(_ text: String) -> String {
        text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0 == "\n" ? "\\n" : "\($0)" }.joined()
    }
}
