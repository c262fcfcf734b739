import Imaging

/// The negatives that the encoder learns to separate from unmodified images: the paper's choice and its ablations.
public enum Negatives: String, Sendable, Codable, Hashable {
    /// Dissolved copies (method, section 3).
    case dissolved
    /// Copies blurred with a Gaussian of random deviation.
    case gaussian
    /// Copies after a median filter.
    case median
    /// No negatives: CSI.
    case none

    /// The range of the deviation of the Gaussian in pixels.
    static let deviations: ClosedRange<Float> = 0.3...2
    /// The number of pixels on each side of the median window.
    static let medianRadius = 1

    /// The number of chunks of a step: two of unmodified images, and one of negatives.
    var chunks: Int { self == .none ? 2 : 3 }
}
