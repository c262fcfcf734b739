import DIA
import Imaging
import Neural

/// What simpler scores reach on the images of an evaluation.
public struct Baselines: Sendable, Codable {
    /// The AUROC of the mean distance to the nearest training normals; see ``NeighborFloor``.
    public var floor: Double
    /// The AUROC of the same score with an encoder whose weights are random; parts that dissolve images are left
    /// out, and without any other part the score is csi.
    public var untrainedEncoder: Double

    enum CodingKeys: String, CodingKey {
        case floor
        case untrainedEncoder = "untrained_encoder"
    }

    /// Computes the baselines on `images` with `training`, the normal training images; all are prepared for `model`.
    ///
    /// `seed` seeds the weights of the untrained encoder. Throws ``Interrupted`` if `isInterrupted` returns true.
    init(
        _ model: Model,
        training: [Image],
        images: [(image: Image, isNormal: Bool)],
        seed: UInt64,
        workers: ThreadPool,
        isInterrupted: () -> Bool
    ) throws {
        func means(_ image: Image) -> BlockMeans {
            let properties = ImageProperties(
                format: "",
                width: image.width,
                height: image.height,
                bitDepth: 8,
                color: ""
            )
            return BlockMeans(image, properties)
        }
        let floor = try NeighborFloor.auroc(
            training: training.map(means),
            images: images.map { (means($0.image), $0.isNormal) },
            isInterrupted: isInterrupted
        )
        guard let floor else { throw DataError("train", "has no normal images for the baselines") }
        self.floor = floor
        let manifest = model.information.manifest
        var generator = SplitMix64(seed: seed, stream: RandomStream.encoderWeights)
        // Parts that dissolve images use the trained U-Net.
        let parts = model.information.parts.filter { $0.step == nil }
        let parameters = Parameters(layout: manifest.encoderNetwork.graph().parameters, using: &generator)
        let encoder = manifest.imageEncoder(parameters, parts: parts, workers: workers)
        func features(_ images: [Image], _ title: String) throws -> [ScoreInputs] {
            try mapBatches(
                images,
                size: encoder.preferredBatchSize,
                title: title,
                phase: .evaluation,
                isInterrupted: isInterrupted
            ) { encoder.features($0).map { ScoreInputs(features: $0) } }
        }
        let entries = Array(training.prefix(max(model.information.bankEntries, 2)))
        let bank = try ScoreBank(training: features(entries, "untrained bank"), parts: parts)
        let scores = try features(images.map(\.image), "untrained encoder").map { -bank($0).normality }
        let metrics = DetectionMetrics(
            normal: zip(scores, images).filter { $0.1.isNormal }.map(\.0),
            anomalous: zip(scores, images).filter { !$0.1.isNormal }.map(\.0)
        )
        untrainedEncoder = metrics.auroc
    }
}
