public import Imaging
import Neural

/// The fixed set of views with which an image is scored: each shift of the image, then each crop.
///
/// The crops depend only on a seed, so a score is a function of the image and the model.
public struct ViewFamily: Sendable, Hashable {
    /// The shifts.
    public let shift: Shift
    /// The crops of each shifted image.
    public let crops: [Crop]

    /// Creates a set of views: the whole image, or if `views` > 1 that many crops of at least `cropScale` area.
    public init(shift: Shift, views: Int, cropScale: Double, seed: UInt64) {
        precondition(views >= 1 && cropScale > 0 && cropScale <= 1, "invalid number of views: \(views)")
        self.shift = shift
        var generator = SplitMix64(seed: seed)
        crops = views == 1 ? [.whole] : (0..<views).map { _ in .random(scale: cropScale...1, using: &generator) }
    }

    /// The number of views of one image: shifts * crops.
    public var count: Int { Shift.count * crops.count }

    /// Appends the samples of all views of `image`, ordered by shift, then by crop.
    public func append(of image: Image, to samples: inout [Float]) {
        for k in 0..<Shift.count {
            let shifted = shift(image, k)
            for crop in crops { crop.append(of: shifted, to: &samples) }
        }
    }
}
