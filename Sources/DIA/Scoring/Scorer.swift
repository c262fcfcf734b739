import Glibc
public import Imaging
import Neural

/// The two networks together; computes the inputs of a score.
///
/// Not `Sendable`: one owner runs it.
public final class Scorer {
    private let encoder: ImageEncoder
    private let dissolver: Dissolver
    private let residualSteps, changeSteps: [Int]

    /// Creates a scorer that computes the inputs for a score of `parts`.
    public init(encoder: ImageEncoder, dissolver: Dissolver, parts: [ScoreComponent]) {
        self.encoder = encoder
        self.dissolver = dissolver
        residualSteps = parts.compactMap { if case .residual(let step) = $0 { step } else { nil } }
        changeSteps = Set(parts.compactMap { if case .change(_, let step) = $0 { step } else { nil } }).sorted()
    }

    /// The number of images at which the views fill about four chunks of the encoder.
    public var preferredBatchSize: Int { encoder.preferredBatchSize }

    /// The smallest residual, one 10,000th of the range; smaller residuals count as this value.
    private static let floor = 1e-4

    /// Returns the inputs of the score for each image; images must have the networks' size and channels.
    public func inputs(_ images: [Image]) -> [ScoreInputs] {
        var result = encoder.features(images).map { ScoreInputs(features: $0) }
        let steps = Set(residualSteps + changeSteps).sorted()
        guard !steps.isEmpty else { return result }
        let references = images.map { dissolver.resampled($0) }
        let needsReferences = !changeSteps.isEmpty && references != images
        let baselines = needsReferences ? encoder.features(references) : result.map(\.features)
        for step in steps {
            let dissolved = dissolver.dissolve(images, at: images.map { _ in step })
            if changeSteps.contains(step) {
                for (index, pair) in zip(encoder.features(dissolved), baselines).enumerated() {
                    let stages = zip(pair.0.stages, pair.1.stages)
                    result[index].changes[step] = stages.map { zip($0, $1).map { $0 - $1 } }
                }
            }
            guard residualSteps.contains(step) else { continue }
            for (index, pair) in zip(references, dissolved).enumerated() {
                let sum = zip(pair.0.samples, pair.1.samples).reduce(0.0) { $0 + Double(abs($1.0 - $1.1)) }
                result[index].residuals[step] = log(sum / Double(pair.0.samples.count) + Self.floor)
            }
        }
        return result
    }

    /// Returns the map of where the score of `image` comes from; nil if no part of the score is a density.
    ///
    /// `maps` are the feature maps of all stages that `densities` read.
    func map(_ image: Image, densities: [ScoreBank.Density], maps: FeatureMaps) -> ScoreMap {
        let own = maps(image)
        var changes: [Int: [Int: FeatureMaps.Maps]] = [:]
        if !changeSteps.isEmpty {
            let reference = dissolver.resampled(image)
            let baseline = reference == image ? own : maps(reference)
            for step in changeSteps {
                let dissolved = maps(dissolver.dissolve([image], at: [step])[0])
                changes[step] = dissolved.merging(baseline) { dissolved, baseline in
                    var change = dissolved
                    for index in change.values.indices { change.values[index] -= baseline.values[index] }
                    return change
                }
            }
        }
        return ScoreMap(height: image.height, width: image.width, views: maps.views, densities: densities) { part in
            switch part {
            case .density(let stage): own[stage]
            case .change(let stage, let step): changes[step]?[stage]
            case .csi, .neighbors, .residual: nil
            }
        }
    }

    /// Dissolves each image at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }
}
