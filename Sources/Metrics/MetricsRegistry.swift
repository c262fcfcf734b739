import Synchronization

/// The metrics of a process and their Prometheus text format (version 0.0.4).
///
/// A family is registered once, with every label set that is known from the start. Those series are exported with the
/// value 0, because a rate over a series that first appears with an event misses that event.
public final class MetricsRegistry: Sendable {
    /// A metric family and the function that formats it.
    private struct Family: Sendable {
        let name, help, type: String
        let lines: @Sendable (String) -> String
    }

    private let families = Mutex<[Family]>([])

    /// Creates a registry without metrics.
    public init() {}

    /// Registers a counter, a value that only increases.
    public func counter(_ name: String, _ help: String, labels: [LabelSet] = [[:]]) -> Counter {
        let series = Series(labels)
        add(name, help, "counter") { series.lines($0) }
        return Counter(series: series)
    }

    /// Registers a gauge, a value that is set.
    public func gauge(_ name: String, _ help: String, labels: [LabelSet] = [[:]]) -> Gauge {
        let series = Series(labels)
        add(name, help, "gauge") { series.lines($0) }
        return Gauge(series: series)
    }

    /// Registers a gauge, or a counter if `isCounter` is true, whose values are read on export.
    ///
    /// If there are no values, nothing is exported.
    public func observed(
        _ name: String,
        _ help: String,
        isCounter: Bool = false,
        _ values: @escaping @Sendable () -> [LabelSet: Double]
    ) {
        add(name, help, isCounter ? "counter" : "gauge") { name in
            Series.lines(name, values())
        }
    }

    /// Registers a histogram with the given upper bounds of its buckets.
    public func histogram(
        _ name: String,
        _ help: String,
        bounds: [Double],
        labels: [LabelSet] = [[:]]
    ) -> HistogramMetric {
        let metric = HistogramMetric(bounds: bounds, labels: labels)
        add(name, help, "histogram") { metric.lines($0) }
        return metric
    }

    private func add(_ name: String, _ help: String, _ type: String, _ lines: @escaping @Sendable (String) -> String) {
        families.withLock { families in
            precondition(!families.contains { $0.name == name }, "the metric \(name) is registered twice")
            families.append(Family(name: name, help: help, type: type, lines: lines))
        }
    }

    /// The text of all metrics, in order of registration.
    public var text: String {
        families.withLock { $0 }.map { family in
            let lines = family.lines(family.name)
            guard !lines.isEmpty else { return "" }
            return "# HELP \(family.name) \(family.help)\n# TYPE \(family.name) \(family.type)\n\(lines)"
        }.joined()
    }
}

/// Values of a family by labels.
final class Series: Sendable {
    private let values: Mutex<[LabelSet: Double]>

    init(_ labels: [LabelSet]) { values = Mutex(Dictionary(labels.map { ($0, 0) }) { first, _ in first }) }

    func change(_ labels: LabelSet, _ change: (inout Double) -> Void) {
        values.withLock { change(&$0[labels, default: 0]) }
    }

    func lines(_ name: String) -> String { Self.lines(name, values.withLock { $0 }) }

    static func lines(_ name: String, _ values: [LabelSet: Double]) -> String {
        values.map { "\(name)\($0.key.text) \(text(of: $0.value))\n" }.sorted().joined()
    }

    /// Formats a value; whole numbers have no fraction.
    static func text(of value: Double) -> String { Int(exactly: value).map { "\($0)" } ?? "\(value)" }
}

/// A value that only increases.
public struct Counter: Sendable {
    fileprivate let series: Series

    /// Adds to the series with `labels`.
    public func add(_ value: Double = 1, _ labels: LabelSet = [:]) { series.change(labels) { $0 += value } }
}

/// A value that is set.
public struct Gauge: Sendable {
    fileprivate let series: Series

    /// Sets the series with `labels`.
    public func set(_ value: Int, _ labels: LabelSet = [:]) { series.change(labels) { $0 = Double(value) } }

    /// Adds to the series with `labels`, or subtracts if `value` is negative.
    public func add(_ value: Int, _ labels: LabelSet = [:]) { series.change(labels) { $0 += Double(value) } }
}

/// A histogram of observed values.
public final class HistogramMetric: Sendable {
    /// Bounds for durations in seconds.
    public static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Bounds for batch sizes.
    public static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64]
    /// Bounds for values from 0 to 1.
    public static let tenths = (1...10).map { Double($0) / 10 }

    private let bounds: [Double]
    private let histograms: Mutex<[LabelSet: Histogram]>

    init(bounds: [Double], labels: [LabelSet]) {
        self.bounds = bounds
        let empty = Histogram(bounds: bounds)
        histograms = Mutex(Dictionary(labels.map { ($0, empty) }) { first, _ in first })
    }

    /// Adds the observation `value` to the series with `labels`.
    public func observe(_ value: Double, _ labels: LabelSet = [:]) {
        histograms.withLock { $0[labels, default: Histogram(bounds: bounds)].observe(value) }
    }

    /// Adds the observation of a duration in seconds.
    public func observe(_ duration: Duration, _ labels: LabelSet = [:]) { observe(duration / .seconds(1), labels) }

    /// Exports the series with `labels`, with the value 0 if nothing was observed.
    public func export(_ labels: LabelSet) {
        histograms.withLock { $0[labels] = $0[labels] ?? Histogram(bounds: bounds) }
    }

    fileprivate func lines(_ name: String) -> String {
        histograms.withLock { $0 }.map { ($0.key.text, $0.value.lines(name, $0.key)) }
            .sorted { $0.0 < $1.0 }.map(\.1).joined()
    }
}
