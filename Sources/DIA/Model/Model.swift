public import Imaging
public import ModelFile
public import Neural

/// A model loaded from its directory, ready to score and dissolve images.
///
/// Not `Sendable`: one owner runs it.
public final class Model {
    /// Facts about a model that are known without running it; can be shared between threads.
    public struct Information: Sendable {
        /// The manifest.
        public let manifest: ModelManifest
        /// The digest "sha256:..."; it changes with every retraining.
        public let digest: String
        /// The calibration; nil if the model has none.
        public let calibration: Calibration?
        /// The check whether an image is like the calibration images; nil if the model has no statistics for it.
        public let inputCheck: InputCheck?
        /// The number of training images in the bank.
        public let bankEntries: Int
        /// The parts of the combined score; empty if the method is CSI alone.
        public let parts: [ScoreComponent]
        /// Whether ``Model/scoreMap(_:)`` returns a map.
        public let hasScoreMap: Bool
        /// The number of images at which scoring reaches about full throughput; larger batches only add latency.
        public let preferredBatchSize: Int

        /// Converts `image` to the channels and the size of the model's input.
        public func prepare(_ image: Image) -> Image {
            let input = manifest.input
            return image.converted(toChannels: input.channels).resized(height: input.height, width: input.width)
        }
    }

    /// The notice that is shown with every score.
    public static let notice = "Research use only, not for diagnosis."

    /// Facts about the model.
    public let information: Information
    private let scorer: Scorer
    private let bank: ScoreBank
    private let golden: GoldenSet?
    /// For models whose score has densities.
    private let maps: FeatureMaps?

    /// Loads the model in `directory`; checks all files, and prepares the weights.
    public init(_ directory: ModelDirectory, workers: ThreadPool) throws(ModelFileError) {
        let manifest = directory.manifest
        let parts = try manifest.scoreParts()
        let weights = try directory.encoderWeights()
        let encoder = try manifest.imageEncoder(weights, parts: parts, workers: workers)
        maps = try manifest.featureMaps(weights, parts: parts, workers: workers)
        bank = try ScoreBank(
            directory.tensors(in: manifest.score.file, sha256: manifest.score.sha256),
            network: manifest.encoderNetwork,
            parts: parts
        )
        golden = try directory.goldenSet()
        let dissolver = try manifest.dissolver(directory.unetWeights(), workers: workers)
        scorer = Scorer(encoder: encoder, dissolver: dissolver, parts: parts)
        let (calibration, inputCheck) = try Self.calibration(directory)
        information = Information(
            manifest: manifest,
            digest: directory.digest,
            calibration: calibration,
            inputCheck: inputCheck,
            bankEntries: bank.csi.entries,
            parts: parts,
            hasScoreMap: bank.placed.contains { $0 != nil },
            preferredBatchSize: encoder.preferredBatchSize
        )
    }

    /// Returns the score of each image; images must be prepared with ``Information/prepare(_:)``.
    public func score(_ images: [Image]) -> [ScoreBank.Result] { scorer.inputs(images).map { bank($0) } }

    /// Returns a map of one channel of where the score of `image` comes from, of the size of the image; nil if no part of
    /// the score has a map.
    ///
    /// Its average is the anomaly of the score in standard deviations, as far as it has positions; see ``ScoreMap``. The
    /// image must be prepared.
    public func scoreMap(_ image: Image) -> Image? { scorer.map(image, bank: bank, maps: maps)?.image }

    /// Replays the golden set; returns nil if the model has none.
    public func verify() -> GoldenSet.Outcome? { golden?.replay(self) }

    /// Dissolves each image at its own step; images must be prepared with ``Information/prepare(_:)``.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { scorer.dissolve(images, at: steps) }

    private static func calibration(
        _ directory: ModelDirectory
    ) throws(ModelFileError) -> (Calibration?, InputCheck?) {
        guard let part = directory.manifest.calibration else { return (nil, nil) }
        let file = try directory.tensors(in: part.file, sha256: part.sha256)
        guard let shape = file.shape(of: "normality"), shape.count == 1, shape[0] > 0 else {
            throw ModelFileError(file: part.file, tensor: "normality", reason: "is missing or is not a list of numbers")
        }
        let values = try file.floats("normality", shape: shape)
        guard zip(values, values.dropFirst()).allSatisfy({ $0 <= $1 }) else {
            throw ModelFileError(file: part.file, tensor: "normality", reason: "is not in ascending order")
        }
        let calibration = Calibration(normality: values.map { Double($0) }, alpha: part.alpha)
        return (calibration, try InputCheck(file))
    }
}
