import Neural

/// Metrics of how well a score separates anomalous images from normal images.
///
/// Scores are higher for more anomalous images.
public struct DetectionMetrics: Sendable {
    /// The scores of the normal and of the anomalous images, in ascending order.
    public let normal, anomalous: [Double]

    /// Creates the metrics of two sets of scores, which must not be empty.
    public init(normal: [Double], anomalous: [Double]) {
        precondition(!normal.isEmpty && !anomalous.isEmpty, "metrics need normal and anomalous images")
        self.normal = normal.sorted()
        self.anomalous = anomalous.sorted()
    }

    /// The area under the ROC curve: the probability that an anomalous image scores higher than a normal image, with
    /// ties counted as one half (the Mann-Whitney U statistic).
    public var auroc: Double {
        var sum = 0.0
        var (below, through) = (0, 0)
        for score in anomalous {
            while below < normal.count, normal[below] < score { below += 1 }
            through = max(through, below)
            while through < normal.count, normal[through] <= score { through += 1 }
            sum += Double(below) + Double(through - below) / 2
        }
        return sum / Double(normal.count) / Double(anomalous.count)
    }

    /// The rates at each threshold, from the highest threshold, at which no image is anomalous, to the lowest.
    public var rocCurve: [(falsePositives: Double, truePositives: Double)] {
        var result: [(falsePositives: Double, truePositives: Double)] = [(0, 0)]
        var (left, right) = (normal.count, anomalous.count)
        while left > 0 || right > 0 {
            let threshold = max(left > 0 ? normal[left - 1] : -.infinity, right > 0 ? anomalous[right - 1] : -.infinity)
            while left > 0, normal[left - 1] >= threshold { left -= 1 }
            while right > 0, anomalous[right - 1] >= threshold { right -= 1 }
            result.append(
                (
                    Double(normal.count - left) / Double(normal.count),
                    Double(anomalous.count - right) / Double(anomalous.count)
                )
            )
        }
        return result
    }

    /// The area under the precision-recall curve with anomalous images as positives, by steps (average precision).
    public var aupr: Double {
        let all = (normal.map { ($0, false) } + anomalous.map { ($0, true) }).sorted { $0.0 > $1.0 }
        var (positives, seen, area, lastRecall) = (0, 0, 0.0, 0.0)
        var index = 0
        while index < all.count {
            let score = all[index].0
            while index < all.count, all[index].0 == score {
                seen += 1
                if all[index].1 { positives += 1 }
                index += 1
            }
            let recall = Double(positives) / Double(anomalous.count)
            area += (recall - lastRecall) * Double(positives) / Double(seen)
            lastRecall = recall
        }
        return area
    }

    /// The share of normal images that score at least as high as the threshold that 95% of the anomalous images reach.
    public var falsePositiveRateAt95: Double {
        let missed = Int(Double(anomalous.count) * 0.05)
        let threshold = anomalous[missed]
        return Double(normal.count { $0 >= threshold }) / Double(normal.count)
    }

    /// Returns the highest true-positive rate at a false-positive rate of at most `rate`.
    public func sensitivity(atFalsePositiveRate rate: Double) -> Double {
        let allowed = Int((Double(normal.count) * rate + 1e-9).rounded(.down))
        // Scores above this one have at most `allowed` normal images.
        let limit = allowed < normal.count ? normal[normal.count - 1 - allowed] : -.infinity
        return Double(anomalous.count { $0 > limit }) / Double(anomalous.count)
    }

    /// The 95% bootstrap interval of the AUROC: both kinds of images are resampled `rounds` times.
    public func aurocInterval(rounds: Int = 2000, seed: UInt64) -> (low: Double, high: Double) {
        var generator = SplitMix64(seed: seed, stream: RandomStream.bootstrap)
        func drawn(_ scores: [Double]) -> [Double] {
            scores.map { _ in scores[Int.random(in: scores.indices, using: &generator)] }
        }
        let values = (0..<rounds).map { _ in DetectionMetrics(normal: drawn(normal), anomalous: drawn(anomalous)).auroc
        }
        .sorted()
        return (values[Int(Double(rounds) * 0.025)], values[min(rounds - 1, Int(Double(rounds) * 0.975))])
    }
}

extension DetectionMetrics {
    /// The 95% Wilson interval of a share of `count` out of `total` (Wilson, 1927).
    static func wilsonInterval(_ count: Int, of total: Int) -> (low: Double, high: Double) {
        let (n, z) = (Double(total), 1.959964)
        let share = Double(count) / n
        let middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        let reach = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)).squareRoot()
        return (max(0, middle - reach), min(1, middle + reach))
    }
}
