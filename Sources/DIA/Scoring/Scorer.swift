import Glibc
public import Imaging
import Neural

/// The two networks together; computes the inputs of a score.
///
/// Not `Sendable`: one owner runs it.
public final class Scorer {
    private let encoder: ImageEncoder
    private let dissolver: Dissolver
    /// The steps at which images are dissolved, and those of them for which the features are computed too.
    private let steps, featureSteps: [Int]

    /// Creates a scorer that computes the inputs for a score of `parts`.
    public init(encoder: ImageEncoder, dissolver: Dissolver, parts: [ScoreComponent]) {
        self.encoder = encoder
        self.dissolver = dissolver
        steps = Set(parts.compactMap(\.step)).sorted()
        featureSteps = Set(parts.filter { $0.stage != nil }.compactMap(\.step)).sorted()
    }

    /// The number of images at which the views fill about four chunks of the encoder.
    public var preferredBatchSize: Int { encoder.preferredBatchSize }

    /// The smallest residual, one 10,000th of the range; smaller residuals count as this value.
    private static let floor = 1e-4

    /// Returns the inputs of the score for each image; images must have the networks' size and channels.
    public func inputs(_ images: [Image]) -> [ScoreInputs] {
        var result = encoder.features(images).map { ScoreInputs(features: $0) }
        guard !steps.isEmpty else { return result }
        let references = images.map { dissolver.resampled($0) }
        let needsBaselines = !featureSteps.isEmpty && references != images
        let baselines = needsBaselines ? encoder.features(references) : result.map(\.features)
        for step in steps {
            let dissolved = dissolver.dissolve(images, at: images.map { _ in step })
            let features = featureSteps.contains(step) ? encoder.features(dissolved) : []
            for index in images.indices {
                let change = Self.change(from: references[index], to: dissolved[index])
                let stages =
                    features.isEmpty
                    ? []
                    : zip(features[index].stages, baselines[index].stages).map { pair in
                        zip(pair.0, pair.1).map { $0 - $1 }
                    }
                result[index].changes[step] = .init(residual: change.mean, peak: change.peak, stages: stages)
            }
        }
        return result
    }

    /// Returns the logs of the average change of a pixel, and of the largest change, averaged over 3 x 3 pixels.
    private static func change(from image: Image, to dissolved: Image) -> (mean: Double, peak: Double) {
        let changes = image.changes(to: dissolved)
        let sum = changes.samples.reduce(0.0) { $0 + Double($1) }
        var peak: Float = 0
        for row in 0..<changes.height {
            let rows = max(row - 1, 0)...min(row + 1, changes.height - 1)
            for column in 0..<changes.width {
                let columns = max(column - 1, 0)...min(column + 1, changes.width - 1)
                var total: Float = 0
                for y in rows { for x in columns { total += changes[y, x] } }
                peak = max(peak, total / Float(rows.count * columns.count))
            }
        }
        return (log(sum / Double(changes.samples.count) + floor), log(Double(peak) + floor))
    }

    /// Returns the map of where the score of `image` comes from.
    ///
    /// `maps` computes the feature maps of all stages that `densities` read.
    func map(_ image: Image, densities: [ScoreBank.Density], maps: FeatureMaps) -> ScoreMap {
        let own = maps(image)
        var changes: [Int: [Int: FeatureMaps.Maps]] = [:]
        if !featureSteps.isEmpty {
            let reference = dissolver.resampled(image)
            let baseline = reference == image ? own : maps(reference)
            for step in featureSteps {
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
            case .csi, .neighbors, .residual, .peak: nil
            }
        }
    }

    /// Dissolves each image at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }
}
