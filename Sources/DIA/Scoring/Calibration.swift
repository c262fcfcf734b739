import Glibc

/// What a normality means, by the normality of normal images that no training step saw (split conformal
/// prediction; Vovk et al., 2005).
public struct Calibration: Sendable, Hashable {
    /// The calibration images' normality, ascending.
    public let normality: [Double]
    /// The share of normal images that may be called anomalous.
    public let alpha: Double
    /// Below it an image is anomalous; nil if there are too few calibration images for ``alpha``.
    public let threshold: Double?
    /// The scale of the calibration values, 1.4826 times their median absolute deviation.
    public let spread: Double

    /// A calibration by `normality`, at least one finite value in any order.
    public init(normality: [Double], alpha: Double) {
        precondition(!normality.isEmpty && alpha > 0 && alpha < 1, "no calibration")
        let sorted = normality.sorted()
        self.normality = sorted
        self.alpha = alpha
        let count = Double(sorted.count + 1)
        // The largest rank whose p-value is at most alpha, by the same division as the p-value's, so that
        // both verdicts agree to the last bit.
        var rank = min(Int(alpha * count) + 1, sorted.count)
        while rank > 0, Double(rank) / count > alpha { rank -= 1 }
        threshold = rank > 0 ? sorted[rank - 1] : nil
        let median = Self.median(sorted)
        let deviation = Self.median(sorted.map { abs($0 - median) }.sorted())
        // Calibration values that are all equal have no scale; any positive one keeps the score defined.
        spread = max(1.4826 * deviation, 1e-9)
    }

    private static func median(_ sorted: [Double]) -> Double {
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }

    /// The conformal p-value, (1 + number of calibration values <= `value`) / (n + 1).
    public func pValue(_ value: Double) -> Double {
        // The first place behind all values <= value.
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
