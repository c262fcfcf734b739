public import Metrics
import Synchronization

/// The metrics of the sidecar, and whether it is ready.
public final class SidecarMetrics: Sendable {
    private let instances: Counter
    private let duration: HistogramMetric
    private let waiting, lastChange, letters, following, storing: Gauge
    private let state = Mutex((isFollowing: false, isStoring: true))

    /// Registers the metrics.
    public init(_ registry: MetricsRegistry) {
        let outcomes = ["written", "already_written", "skipped", "gone", "unavailable", "failed"]
        instances = registry.counter(
            "dia_orthanc_instances_total",
            "Instances by outcome; unavailable and failed ones are tried again.",
            labels: outcomes.map { ["outcome": $0] }
        )
        duration = registry.histogram(
            "dia_orthanc_instance_seconds",
            "Time from reading an instance to its result.",
            bounds: HistogramMetric.seconds
        )
        waiting = registry.gauge(
            "dia_orthanc_waiting",
            "Instances that were read from the changes and are not complete."
        )
        lastChange = registry.gauge("dia_orthanc_position", "Change before which everything is complete.")
        letters = registry.gauge("dia_orthanc_dead_letters", "Instances that could not be scored.")
        following = registry.gauge("dia_orthanc_following", "Whether the changes of Orthanc can be read.")
        storing = registry.gauge("dia_orthanc_storing", "Whether the position can be stored.")
        storing.set(1)
    }

    /// Whether the changes can be read and the position can be stored.
    public var isReady: Bool { state.withLock { $0.isFollowing && $0.isStoring } }

    func isFollowing(_ value: Bool) {
        state.withLock { $0.isFollowing = value }
        following.set(value ? 1 : 0)
    }

    func isStoring(_ value: Bool) {
        state.withLock { $0.isStoring = value }
        storing.set(value ? 1 : 0)
    }

    func update(_ scheduler: Scheduler, _ position: Int) {
        waiting.set(scheduler.waiting)
        lastChange.set(position)
    }

    func deadLetters(_ count: Int) { letters.set(count) }

    func finished(_ outcome: InstanceJob.Outcome, seconds: Double) {
        let name =
            switch outcome {
            case .written: "written"
            case .alreadyWritten: "already_written"
            case .skipped: "skipped"
            case .gone: "gone"
            case .unavailable: "unavailable"
            case .failed: "failed"
            }
        instances.add(1, ["outcome": name])
        if outcome == .written { duration.observe(seconds) }
    }
}
