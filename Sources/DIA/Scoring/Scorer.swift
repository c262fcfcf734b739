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
    public func inputs(_ images: [Image]) -> [ScoreInputs] { inputs(images, dissolved: dissolved(images)) }

    /// Returns the images dissolved at each step that the score uses.
    private func dissolved(_ images: [Image]) -> [Int: [Image]] {
        Dictionary(uniqueKeysWithValues: steps.map { ($0, dissolve(images, at: images.map { [step = $0] _ in step })) })
    }

    private func inputs(_ images: [Image], dissolved: [Int: [Image]]) -> [ScoreInputs] {
        var result = encoder.features(images).map { ScoreInputs(features: $0) }
        guard !steps.isEmpty else { return result }
        let references = images.map { dissolver.resampled($0) }
        let needsBaselines = !featureSteps.isEmpty && references != images
        let baselines = needsBaselines ? encoder.features(references) : result.map(\.features)
        for (step, dissolved) in dissolved {
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
        let peak = changes.averagedOverNeighbors().samples.max() ?? 0
        return (log(sum / Double(changes.samples.count) + floor), log(Double(peak) + floor))
    }

    /// Returns the map of where the score of `image` comes from; nil if no part of `bank` has a map.
    ///
    /// `maps` computes the feature maps of all stages that the densities of `bank` read; nil if it has none.
    func map(_ image: Image, bank: ScoreBank, maps: FeatureMaps?) -> ScoreMap? {
        let reference = dissolver.resampled(image)
        let copies = dissolved([image])
        let dissolved = copies.mapValues { $0[0] }
        var own: [Int: FeatureMaps.Maps] = [:]
        var changes: [Int: [Int: FeatureMaps.Maps]] = [:]
        if let maps {
            own = maps(image)
            let baseline = featureSteps.isEmpty || reference == image ? own : maps(reference)
            for step in featureSteps {
                changes[step] = dissolved[step].map { copy in
                    maps(copy).merging(baseline) { dissolved, baseline in
                        var change = dissolved
                        for index in change.values.indices { change.values[index] -= baseline.values[index] }
                        return change
                    }
                }
            }
        }
        let anomalies = bank(inputs([image], dissolved: copies)[0]).parts.map { -$0 }
        let parts = zip(bank.placed, anomalies).compactMap { placed, anomaly -> (ScoreMap.Part, Double)? in
            switch placed {
            case .density(let density):
                guard let maps, let stage = density.part.stage else { return nil }
                let values = density.part.step.map { changes[$0]?[stage] } ?? own[stage]
                return values.map { (.density(density, $0, maps.views), anomaly) }
            case .peak(let step, let typical):
                return dissolved[step].map { copy in
                    let changes = reference.changes(to: copy).averagedOverNeighbors()
                    return (.peak(changes: changes, typical: typical), anomaly)
                }
            case nil: return nil
            }
        }
        return parts.isEmpty
            ? nil : ScoreMap(height: image.height, width: image.width, parts: parts, count: anomalies.count)
    }

    /// Dissolves each image at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }
}
