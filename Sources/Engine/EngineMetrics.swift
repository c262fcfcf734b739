import Metrics

/// Metrics of the engine.
struct EngineMetrics: Sendable {
    let queueDepth, queueCapacity: Gauge
    let queued, inference, batchSize: HistogramMetric
    let busySeconds: Counter

    init(_ registry: MetricsRegistry) {
        queueDepth = registry.gauge("dia_queue_depth", "Number of waiting jobs.")
        queueCapacity = registry.gauge("dia_queue_capacity", "Maximum number of waiting jobs.")
        queued = registry.histogram(
            "dia_queue_duration_seconds",
            "Time that jobs waited for the engine.",
            bounds: HistogramMetric.seconds
        )
        inference = registry.histogram(
            "dia_inference_duration_seconds",
            "Time to run one batch.",
            bounds: HistogramMetric.seconds,
            labels: Job.Kind.allCases.map { ["stage": $0.rawValue] }
        )
        batchSize = registry.histogram("dia_batch_size", "Jobs per batch.", bounds: HistogramMetric.sizes)
        busySeconds = registry.counter("dia_engine_busy_seconds_total", "Total time that the engine was busy.")
    }
}
