import Glibc
public import Imaging
import Neural

/// The two networks together; computes the inputs of a score.
///
/// Not `Sendable`: one owner runs it.
public final class Scorer {
    private let encoder: ImageEncoder
    private let dissolver: Dissolver
    private let steps: [Int]

    /// Creates a scorer that computes the inputs for a score of `parts`.
    public init(encoder: ImageEncoder, dissolver: Dissolver, parts: [ScoreComponent]) {
        self.encoder = encoder
        self.dissolver = dissolver
        steps = parts.compactMap { if case .residual(let step) = $0 { step } else { nil } }
    }

    /// The number of images at which the views fill about four chunks of the encoder.
    public var preferredBatchSize: Int { encoder.preferredBatchSize }

    /// The smallest residual, one 10,000th of the range; smaller residuals count as this value.
    private static let floor = 1e-4

    /// Returns the inputs of the score for each image; images must have the networks' size and channels.
    public func inputs(_ images: [Image]) -> [ScoreInputs] {
        var result = encoder.features(images).map { ScoreInputs(features: $0) }
        for step in steps {
            let dissolved = dissolver.dissolve(images, at: images.map { _ in step })
            for (index, pair) in zip(images, dissolved).enumerated() {
                let sum = zip(pair.0.samples, pair.1.samples).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
                result[index].residuals[step] = log(sum / Double(pair.0.samples.count) + Self.floor)
            }
        }
        return result
    }

    /// Dissolves each image at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }
}
