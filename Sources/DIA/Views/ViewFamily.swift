public import Imaging
import Neural

/// The fixed family of views under which an image is scored: each shift of the image, then each crop.
///
/// The crops come from a seed alone, so a score is a function of the image and the model.
public struct ViewFamily: Sendable, Hashable {
    /// The shifts.
    public let shift: Shift
    /// The crops of each shift.
    public let crops: [Crop]

    /// With one view the image as it is; with more, that many crops of at least `cropScale` of the area.
    public init(shift: Shift, views: Int, cropScale: Double, seed: UInt64) {
        precondition(views >= 1 && cropScale > 0 && cropScale <= 1, "no family of \(views) views")
        self.shift = shift
        var generator = SplitMix64(seed: seed)
        crops = views == 1 ? [.whole] : (0..<views).map { _ in .random(scale: cropScale...1, using: &generator) }
    }

    /// Views of one image: shifts x crops.
    public var count: Int { Shift.count * crops.count }

    /// Appends the samples of all views of `image`, ordered shift, crop.
    public func append(of image: Image, to samples: inout [Float]) {
        for k in 0..<Shift.count {
            let shifted = shift(image, k)
            for crop in crops { crop.append(of: shifted, to: &samples) }
        }
    }
}
