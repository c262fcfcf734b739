import Glibc

/// The calibration of normality values with normal images that were not used in training (split conformal
/// prediction; Vovk et al., 2005).
public struct Calibration: Sendable, Hashable {
    /// The normality values of the calibration images in ascending order.
    public let normality: [Double]
    /// The target false-positive rate: the share of normal images that may be reported as anomalous.
    public let alpha: Double
    /// An image with a lower normality is anomalous; nil if there are too few calibration images for ``alpha``.
    public let threshold: Double?
    /// The number of calibration values up to the threshold, counted from the lowest; 0 without a threshold.
    public let thresholdRank: Int
    /// The scale of the calibration values, 1.4826 times their median absolute deviation.
    public let spread: Double

    /// Creates a calibration from `normality`, at least one finite value, in any order.
    public init(normality: [Double], alpha: Double) {
        precondition(!normality.isEmpty && alpha > 0 && alpha < 1, "a calibration needs values and an alpha in (0, 1)")
        let sorted = normality.sorted()
        self.normality = sorted
        self.alpha = alpha
        let count = Double(sorted.count + 1)
        // The largest rank with a p-value of at most alpha. The division is the same as that of the p-value, so
        // that both verdicts always agree.
        var rank = min(Int(alpha * count) + 1, sorted.count)
        while rank > 0, Double(rank) / count > alpha { rank -= 1 }
        threshold = rank > 0 ? sorted[rank - 1] : nil
        thresholdRank = rank
        let median = Self.median(sorted)
        let deviation = Self.median(sorted.map { abs($0 - median) }.sorted())
        // If all calibration values are equal, the spread is 0; a small positive value keeps the score defined.
        spread = max(1.4826 * deviation, 1e-9)
    }

    private static func median(_ sorted: [Double]) -> Double {
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The conformal p-value of `value`: (1 + number of calibration values <= `value`) / (n + 1).
    public func pValue(_ value: Double) -> Double {
        // The index after the last value <= value.
        var (low, high) = (0, normality.count)
        while low < high {
            let middle = (low + high) / 2
            if normality[middle] <= value { low = middle + 1 } else { high = middle }
        }
        return Double(1 + low) / Double(normality.count + 1)
    }

    /// The anomaly score in [0, 1]: 1 / (1 + exp((normality - threshold) / spread)); nil without a threshold.
    public func score(_ value: Double) -> Double? {
        threshold.map { 1 / (1 + exp((value - $0) / spread)) }
    }
}
