import Imaging

/// What the encoder learns to tell from plain images: the paper's choice, and those of its ablation.
public enum Negatives: String, Sendable, Codable, Hashable {
    /// Dissolved copies (method, section 3).
    case dissolved
    /// Copies blurred by a Gaussian of a random deviation.
    case gaussian
    /// Copies after a median filter.
    case median
    /// None: CSI.
    case none

    /// The deviations of a Gaussian, in pixels.
    static let deviations: ClosedRange<Float> = 0.3...2
    /// The pixels on each side that a median reads.
    static let medianRadius = 1

    /// Chunks of a step: two of plain images, and one of negatives.
    var chunks: Int { self == .none ? 2 : 3 }
}
