import Glibc
public import Imaging
import Neural

/// The two networks together, gathering what a score reads.
///
/// Not `Sendable`: one owner runs it.
public final class Scorer {
    private let encoder: ImageEncoder
    private let dissolver: Dissolver
    private let steps: [Int]

    /// Gathers for a score of `parts`.
    public init(encoder: ImageEncoder, dissolver: Dissolver, parts: [ScoreComponent]) {
        self.encoder = encoder
        self.dissolver = dissolver
        steps = parts.compactMap { if case .residual(let step) = $0 { step } else { nil } }
    }

    /// Images whose views fill the encoder some four times.
    public var preferredBatchSize: Int { encoder.preferredBatchSize }

    /// A residual below a 10,000th of the range is none.
    private static let floor = 1e-4

    /// The evidence of each image, which must have the networks' size and channels.
    public func evidence(_ images: [Image]) -> [ScoreInputs] {
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

    /// Each image dissolved at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }
}
