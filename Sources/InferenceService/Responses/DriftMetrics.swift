import Engine
import Metrics

extension MetricsRegistry {
    /// Registers the gauges that compare the latest images of each model of `engine` with its calibration images.
    func registerDriftMetrics(_ engine: Engine) {
        func gauge(_ name: String, _ help: String, _ value: @escaping @Sendable (Drift) -> Double) {
            observed(name, help) { [engine] in
                var values: [LabelSet: Double] = [:]
                for (name, model) in engine.models {
                    for (quantity, drift) in engine.driftMonitor.drift(of: model) {
                        values[["model": name, "of": quantity.rawValue]] = value(drift)
                    }
                }
                return values
            }
        }
        gauge(
            "dia_drift_statistic",
            "Kolmogorov-Smirnov statistic of the latest images of a model against its calibration images.",
            \.statistic
        )
        gauge(
            "dia_drift_threshold",
            "Value that dia_drift_statistic exceeds only if the images differ from the calibration images.",
            \.threshold
        )
        gauge("dia_drift_window_images", "Number of images that were compared.") { Double($0.images) }
    }
}
