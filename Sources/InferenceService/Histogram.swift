/// A Prometheus histogram: counts of observations up to each bound.
struct Histogram: Sendable {
    /// Bounds for durations in seconds.
    static let seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    /// Bounds for batch sizes.
    static let sizes: [Double] = [1, 2, 4, 8, 16, 32, 64]

    /// Bounds for anomaly scores, from 0 to 1.
    static let tenths = (1...10).map { Double($0) / 10 }

    private let bounds: [Double]
    private var counts: [Int]
    private var count = 0
    private var sum = 0.0

    init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count)
    }

    mutating func observe(_ value: Double) {
        count += 1
        sum += value
        if let bucket = bounds.firstIndex(where: { value <= $0 }) { counts[bucket] += 1 }
    }

    /// The lines of the text format; `labels` as `name="value",` or empty.
    func lines(_ name: String, labels: String = "") -> String {
        var text = ""
        var total = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            text += "\(name)_bucket{\(labels)le=\"\(bound)\"} \(total)\n"
        }
        text += "\(name)_bucket{\(labels)le=\"+Inf\"} \(count)\n"
        let plain = labels.isEmpty ? "" : "{\(labels.dropLast())}"
        return text + "\(name)_sum\(plain) \(sum)\n\(name)_count\(plain) \(count)\n"
    }
}
