import Glibc
public import Imaging

/// Checks whether an image is like the calibration images of a model.
///
/// The score of an image that is inverted, rotated or of another body part means nothing. Two densities describe the
/// calibration images: one of their structure (a thumbnail) and one of their texture (gray levels and differences of
/// neighbors). An image raises an alarm if it is far outside one of them, or if its inverted or rotated copy is more
/// like the calibration images than the image itself. The alarm is compared with those of the calibration images, each
/// computed with densities that were fitted without it (cross-conformal prediction; Vovk, 2015).
public struct InputCheck: Sendable {
    /// The result for one image.
    public struct Result: Sendable, Hashable {
        /// The conformal p-value: small if few calibration images raise as strong an alarm.
        public let pValue: Double
        /// Why the image is atypical, in short sentences; empty if it is typical.
        public let reasons: [String]
        /// The log distances of structure and texture from those of the calibration images.
        public let structure, texture: Double

        /// Whether the image is like the calibration images.
        public var isTypical: Bool { pValue > InputCheck.level }
    }

    /// An image with a p-value of at most this is atypical.
    public static let level = 0.01
    /// Minimum number of calibration images for an input check.
    public static let minimumImages = 200

    /// How far beyond the 99th percentile of the calibration images a squared distance raises an alarm.
    ///
    /// Abnormal images are often beyond that percentile themselves; images of another kind are far beyond. Chosen on
    /// validation images of three data sets (docs/results/input-check.md).
    private static let (structureMargin, textureMargin) = (1.7, 2.3)

    let structure: FeatureDensity
    let texture: FeatureDensity
    /// Scale of each texture element, by which it is divided before ``texture``.
    let textureScale: [Float]
    /// Statistics of the calibration images: negative log distances of structure and texture, then the gain of each
    /// operation; `[n, 6]`.
    let calibration: [[Double]]
    /// Limits of the log distances above which an image raises an alarm.
    private let limits: (structure: Double, texture: Double)
    /// Alarms of the calibration images in ascending order.
    private let alarms: [Double]
    /// Alarms between this value and zero count as equal, so that images without an alarm are always typical.
    private let cap: Double

    init(structure: FeatureDensity, texture: FeatureDensity, textureScale: [Float], calibration: [[Double]]) {
        (self.structure, self.texture, self.textureScale) = (structure, texture, textureScale)
        self.calibration = calibration
        func limit(_ index: Int, margin: Double) -> Double {
            let sorted = calibration.map { $0[index] }.sorted()
            return sorted[Int(0.99 * Double(sorted.count - 1))] + 0.5 * log(margin)
        }
        limits = (limit(0, margin: Self.structureMargin), limit(1, margin: Self.textureMargin))
        let limits = limits
        let alarms = calibration.map { Self.alarm($0, limits) }.sorted()
        cap = min(0, alarms[Int(0.98 * Double(alarms.count - 1))])
        self.alarms = alarms
    }

    /// Checks an image that was prepared for the model.
    public func callAsFunction(_ image: Image) -> Result {
        let statistics = InputStatistics(image)
        let values = Self.values(statistics, structure, texture, textureScale)
        var alarm = Self.alarm(values, limits)
        if alarm <= 0 { alarm = min(alarm, cap) }
        // Equal alarms count as at least as strong.
        let weaker = alarms.partitioningIndex { ($0 <= 0 ? min($0, cap) : $0) >= alarm }
        let pValue = Double(1 + alarms.count - weaker) / Double(alarms.count + 1)
        let reasons = pValue <= Self.level ? reasons(values, image, statistics) : []
        return Result(pValue: pValue, reasons: reasons, structure: values[0], texture: values[1])
    }

    /// The log distances of the calibration images' structure, each from the others.
    public var structureDistances: [Double] { calibration.map { $0[0] } }
    /// The log distances of the calibration images' texture, each from the others.
    public var textureDistances: [Double] { calibration.map { $0[1] } }

    /// Returns the log distances of structure and texture and the gain of each operation.
    static func values(
        _ statistics: InputStatistics,
        _ structure: FeatureDensity,
        _ texture: FeatureDensity,
        _ textureScale: [Float]
    ) -> [Double] {
        let distance = -structure.density(statistics.structure)
        let scaled = zip(statistics.texture, textureScale).map { $0 / $1 }
        return [distance, -texture.density(scaled)]
            + InputOperation.allCases.map { distance + structure.density(statistics.structure(after: $0)) }
    }

    /// Returns the strongest alarm; there is none if it is not positive.
    private static func alarm(_ values: [Double], _ limits: (structure: Double, texture: Double)) -> Double {
        max(values[0] - limits.structure, values[1] - limits.texture, values.dropFirst(2).max() ?? -.infinity)
    }

    private func reasons(_ values: [Double], _ image: Image, _ statistics: InputStatistics) -> [String] {
        var reasons: [String] = []
        let (darkest, brightest) = (image.samples.min() ?? 0, image.samples.max() ?? 0)
        let range = brightest - darkest
        // Few bits in samples of 16 have a small range too, but not in relation to the brightest sample.
        if range < 0.02, range <= 0.25 * brightest {
            reasons.append("the image is blank")
        } else if brightest <= 1.0 / 12 {
            reasons.append(
                "the image is dark: its samples use at most a twelfth of their range (if they have more than 8 bits, "
                    + "set 'bits' or a window)"
            )
        } else if values[1] > limits.texture {
            // Compared with the mean of the calibration images, in units of their standard deviation.
            let offsets = statistics.texture.indices.map { index in
                statistics.texture[index] / textureScale[index] - texture.mean[index]
            }
            let (median, laplacian) = (offsets[3], offsets[offsets.count - 1])
            if laplacian > 3 {
                reasons.append(
                    "the image looks like noise: neighboring pixels differ more than in the calibration images"
                )
            } else if median < -2 {
                reasons.append("the image is darker than the calibration images")
            } else if median > 2 {
                reasons.append("the image is brighter than the calibration images")
            } else {
                reasons.append("gray levels or sharpness differ from the calibration images")
            }
        }
        let gains = zip(InputOperation.allCases, values.dropFirst(2))
        if let best = gains.max(by: { $0.1 < $1.1 }), best.1 > 0 { reasons.append(best.0.reason) }
        if values[0] > limits.structure {
            reasons.append("the image does not look like the calibration images (another body part, view or modality)")
        }
        return reasons
    }
}

extension Array {
    /// Returns the first index whose element satisfies `predicate`, in an array whose elements that do not satisfy it
    /// come first.
    fileprivate func partitioningIndex(where predicate: (Element) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if predicate(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
