import Engine
import InferenceService
import Metrics
import ModelFile

extension Engine {
    /// An engine that has loaded the directories returned by `open`.
    static func loaded(
        _ configuration: Engine.Configuration,
        metrics: MetricsRegistry,
        open: @escaping @Sendable () throws -> [ModelDirectory]
    ) throws -> Engine {
        let engine = Engine(configuration, metrics: metrics) { ModelListing(directories: try open()) }
        _ = try engine.load()
        return engine
    }
}
