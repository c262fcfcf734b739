import Glibc

/// Compares the values of the latest images with those of the calibration images (two-sample Kolmogorov-Smirnov).
///
/// Only counts are kept: how many values lie between quantiles of the calibration values, in blocks of images. The
/// oldest block is dropped when a new one begins.
package struct DriftWindow: Sendable {
    /// Images in a block, and blocks in the window.
    package static let (blockImages, blocks) = (64, 8)
    /// Maximum number of quantiles.
    private static let maximumEdges = 64

    /// Probability that the calibration images deviate from their population by more than the threshold allows.
    private static let calibrationError = 1e-3
    /// The same for a window; small, because a server compares many windows in its life.
    private static let windowError = 1e-6

    /// Calibration values in ascending order, and the share of them that is at most each.
    private let edges, shares: [Double]
    private let calibrationCount: Int
    /// Counts of the values up to each edge and above the last, for each block; the last block is the current one.
    private var counts: [[Int]]
    private var lastBlockImages = 0

    /// Creates a window to compare with `calibration`, at least one value, in any order.
    package init(calibration: [Double]) {
        let sorted = calibration.sorted()
        let count = min(sorted.count, Self.maximumEdges)
        var edges: [Double] = []
        for index in 1...count {
            let value = sorted[index * sorted.count / count - 1]
            if edges.last != value { edges.append(value) }
        }
        self.edges = edges
        shares = edges.map { edge in Double(sorted.count { $0 <= edge }) / Double(sorted.count) }
        calibrationCount = sorted.count
        counts = [[Int](repeating: 0, count: edges.count + 1)]
    }

    /// Adds the value of an image; values that are not finite are ignored.
    package mutating func add(_ value: Double) {
        guard value.isFinite else { return }
        if lastBlockImages == Self.blockImages {
            counts.append([Int](repeating: 0, count: edges.count + 1))
            if counts.count > Self.blocks { counts.removeFirst() }
            lastBlockImages = 0
        }
        let bin = edges.firstIndex { value <= $0 } ?? edges.count
        counts[counts.count - 1][bin] += 1
        lastBlockImages += 1
    }

    /// Number of images in the window.
    package var images: Int { (counts.count - 1) * Self.blockImages + lastBlockImages }

    /// The largest difference of the distribution functions at the edges, from 0 to 1; 0 without images.
    ///
    /// Between edges it can be larger, so it is never larger than the Kolmogorov-Smirnov statistic of the same values.
    package var statistic: Double {
        guard images > 0 else { return 0 }
        var (sum, largest) = (0, 0.0)
        for index in edges.indices {
            sum += counts.reduce(0) { $0 + $1[index] }
            largest = max(largest, abs(Double(sum) / Double(images) - shares[index]))
        }
        return largest
    }

    /// The value that ``statistic`` exceeds only if the images differ from the calibration images, at most 1.
    ///
    /// Both samples deviate from the distribution of their population by more than e with a probability of at most
    /// 2 exp(-2 n e^2) (Dvoretzky-Kiefer-Wolfowitz inequality with Massart's constant). The threshold is the sum of
    /// both deviations. It does not assume that the calibration images are exact, as repeated tests at a fixed level
    /// would: with few calibration images, those would report drift sooner or later.
    package var threshold: Double {
        min(1, Self.deviation(calibrationCount, Self.calibrationError) + Self.deviation(images, Self.windowError))
    }

    private static func deviation(_ count: Int, _ probability: Double) -> Double {
        count == 0 ? 1 : sqrt(log(2 / probability) / (2 * Double(count)))
    }
}
