import Metrics

/// What the engine counts.
struct EngineMetrics: Sendable {
    let queueDepth, queueCapacity: Gauge
    let queued, inference, batchSize: HistogramMetric
    let busySeconds: Counter

    init(_ registry: MetricsRegistry) {
        queueDepth = registry.gauge("dia_queue_depth", "Pieces of work waiting.")
        queueCapacity = registry.gauge("dia_queue_capacity", "Pieces of work that may wait.")
        queued = registry.histogram(
            "dia_queue_duration_seconds",
            "Time that work waited for the engine.",
            bounds: HistogramMetric.seconds
        )
        inference = registry.histogram(
            "dia_inference_duration_seconds",
            "Time of one batch in the engine.",
            bounds: HistogramMetric.seconds,
            labels: Job.Kind.allCases.map { ["stage": $0.rawValue] }
        )
        batchSize = registry.histogram("dia_batch_size", "Pieces of work run together.", bounds: HistogramMetric.sizes)
        busySeconds = registry.counter("dia_engine_busy_seconds_total", "Time that the engine has run.")
    }
}
