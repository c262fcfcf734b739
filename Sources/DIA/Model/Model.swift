public import Imaging
public import ModelFile
public import Neural

/// A model loaded from its directory, ready to score and to dissolve.
///
/// Not `Sendable`: one owner runs it.
public final class Model {
    /// What is known of a model without running it; free to share.
    public struct Information: Sendable {
        /// The manifest.
        public let manifest: ModelManifest
        /// "sha256:..."; changes with every retraining.
        public let digest: String
        /// The calibration, if the model has one.
        public let calibration: Calibration?
        /// Training images in the bank.
        public let bankEntries: Int
        /// The parts of its score; none where that is CSI alone.
        public let parts: [ScoreComponent]
        /// Images that are scored about as fast together as ever; of more the first ones only wait for the last.
        public let preferredBatchSize: Int

        /// `image` as the model takes it: its channels, its size.
        public func prepare(_ image: Image) -> Image {
            let input = manifest.input
            return image.converted(toChannels: input.channels).resized(height: input.height, width: input.width)
        }
    }

    /// What stands wherever a score is shown.
    public static let notice = "Research use only, not for diagnosis."

    /// What is known of the model.
    public let information: Information
    private let scorer: Scorer
    private let bank: ScoreBank
    private let golden: GoldenSet?

    /// Loads the model in `directory`; everything is checked, folded and packed here.
    public init(_ directory: ModelDirectory, workers: ThreadPool) throws(ModelFileError) {
        let part = directory.manifest.score
        let parts = try directory.manifest.scoreParts()
        let (network, parameters) = try directory.encoder()
        bank = try ScoreBank(
            directory.tensors(in: part.file, sha256: part.sha256),
            network: network,
            parts: parts
        )
        let encoder = ImageEncoder(
            network,
            parameters: parameters,
            views: directory.manifest.viewFamily,
            stages: parts.contains { $0.readsStages },
            workers: workers
        )
        golden = try directory.goldenSet()
        scorer = try Scorer(encoder: encoder, dissolver: directory.dissolver(workers), parts: parts)
        information = Information(
            manifest: directory.manifest,
            digest: directory.digest,
            calibration: try Self.calibration(directory),
            bankEntries: bank.csi.entries,
            parts: parts,
            preferredBatchSize: encoder.preferredBatchSize
        )
    }

    /// The normality of each image, which must be ``Information/prepare(_:)``d.
    public func score(_ images: [Image]) -> [ScoreBank.Result] { scorer.evidence(images).map { bank($0) } }

    /// Replays the golden set; nil if the model has none.
    public func verify() -> GoldenSet.Outcome? { golden?.replay(self) }

    /// Each image, ``Information/prepare(_:)``d, dissolved at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { scorer.dissolve(images, at: steps) }

    private static func calibration(_ directory: ModelDirectory) throws(ModelFileError) -> Calibration? {
        guard let part = directory.manifest.calibration else { return nil }
        let file = try directory.tensors(in: part.file, sha256: part.sha256)
        guard let shape = file.shape(of: "normality"), shape.count == 1, shape[0] > 0 else {
            throw ModelFileError(file: part.file, tensor: "normality", reason: "is missing, or is no list of numbers")
        }
        let values = try file.floats("normality", shape: shape)
        guard zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw ModelFileError(file: part.file, tensor: "normality", reason: "is not ascending")
        }
        return Calibration(normality: values.map { Double($0) }, alpha: part.alpha)
    }
}
