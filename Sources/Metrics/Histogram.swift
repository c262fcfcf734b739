/// A Prometheus histogram: counts of observations up to each bound.
struct Histogram: Sendable {
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

    /// Returns the lines of the Prometheus text format.
    func lines(_ name: String, _ labels: LabelSet) -> String {
        var text = ""
        var total = 0
        for (bound, count) in zip(bounds, counts) {
            total += count
            text += "\(name)_bucket\(labels.adding("le", "\(bound)").text) \(total)\n"
        }
        text += "\(name)_bucket\(labels.adding("le", "+Inf").text) \(count)\n"
        return text + "\(name)_sum\(labels.text) \(sum)\n\(name)_count\(labels.text) \(count)\n"
    }
}
