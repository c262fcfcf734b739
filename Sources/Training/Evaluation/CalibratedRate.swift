public import DIA
import Glibc

/// The false-positive rate that a calibration promises for new normal images.
///
/// Over calibration sets, the rate of a threshold at rank k of n values has the distribution Beta(k, n + 1 - k) (Vovk,
/// "Conditional validity of inductive conformal predictors", 2012).
public struct CalibratedRate: Sendable, Hashable {
    /// The mean rate, k / (n + 1).
    public let mean: Double
    /// The central 95% interval of the rate.
    public let interval: ClosedRange<Double>

    /// The rate of `calibration`; nil if it has no threshold.
    public init?(_ calibration: Calibration) {
        let (rank, count) = (calibration.thresholdRank, calibration.normality.count)
        guard rank > 0 else { return nil }
        mean = Double(rank) / Double(count + 1)
        interval = Self.quantile(0.025, rank, count)...Self.quantile(0.975, rank, count)
    }

    /// The `share` quantile of Beta(`rank`, `count` + 1 - `rank`), by bisection.
    private static func quantile(_ share: Double, _ rank: Int, _ count: Int) -> Double {
        var (low, high) = (0.0, 1.0)
        for _ in 0..<60 {
            let middle = (low + high) / 2
            if probability(atLeast: rank, of: count, middle) < share { low = middle } else { high = middle }
        }
        return (low + high) / 2
    }

    /// The probability of at least `rank` successes in `count` trials of probability `rate`, which is the distribution
    /// function of Beta(`rank`, `count` + 1 - `rank`) at `rate`.
    private static func probability(atLeast rank: Int, of count: Int, _ rate: Double) -> Double {
        guard rate > 0 else { return 0 }
        guard rate < 1 else { return 1 }
        // The log of the binomial coefficient.
        var ways = 0.0
        var sum = 0.0
        for successes in 0...count {
            if successes > 0 { ways += log(Double(count - successes + 1)) - log(Double(successes)) }
            guard successes >= rank else { continue }
            sum += exp(ways + Double(successes) * log(rate) + Double(count - successes) * log1p(-rate))
        }
        return sum
    }
}
