public import Imaging
public import Kernels
public import ModelFile
import Neural

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
        /// Images that are scored about as fast together as ever; of more the first ones only wait for the last.
        public let scoredAtOnce: Int

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
    private let encoder: ImageEncoder
    private let score: CSIScore
    private let dissolver: Dissolver

    /// Loads the model in `directory`; everything is checked, folded and packed here.
    public init(_ directory: ModelDirectory, workers: Workers) throws(ModelFileError) {
        let manifest = directory.manifest
        encoder = try Self.encoder(directory, workers)
        score = try Self.score(directory)
        dissolver = try Self.dissolver(directory, workers)
        information = Information(
            manifest: manifest,
            digest: directory.digest,
            calibration: try Self.calibration(directory),
            bankEntries: score.entries,
            scoredAtOnce: encoder.imagesAtOnce
        )
    }

    /// The normality of each image, which must be ``Information/prepare(_:)``d.
    public func normality(_ images: [Image]) -> [CSIScore.Result] { encoder.features(images).map { score($0) } }

    /// Each image, ``Information/prepare(_:)``d, dissolved at its own step.
    public func dissolve(_ images: [Image], at steps: [Int]) -> [Image] { dissolver.dissolve(images, at: steps) }

    private static func dissolver(_ directory: ModelDirectory, _ workers: Workers) throws(ModelFileError) -> Dissolver {
        let part = directory.manifest.dissolve
        let (network, parameters) = try directory.unet()
        return Dissolver(
            network,
            parameters: parameters,
            schedule: NoiseSchedule(part.betaSchedule == "linear" ? .linear : .cosine, timesteps: part.timesteps),
            fit: part.fit == "pad" ? .pad : .resize,
            workers: workers
        )
    }

    private static func encoder(_ directory: ModelDirectory, _ workers: Workers) throws(ModelFileError) -> ImageEncoder
    {
        let score = directory.manifest.score
        let (network, parameters) = try directory.encoder()
        let views = ViewFamily(
            shift: directory.manifest.encoder.shifts == "cutperm" ? .cutperm : .rotation,
            views: score.views,
            cropScale: score.cropScale,
            seed: score.seed
        )
        return ImageEncoder(network, parameters: parameters, views: views, workers: workers)
    }

    private static func score(_ directory: ModelDirectory) throws(ModelFileError) -> CSIScore {
        let (part, size) = (directory.manifest.score, directory.manifest.encoder.projection)
        let file = try directory.tensors(in: part.file, sha256: part.sha256)
        guard let shape = file.shape(of: "axis"), shape.count == 3, shape[1] > 0 else {
            throw ModelFileError(
                file: part.file,
                tensor: "axis",
                reason: "is missing or has no shape [K, M, projection]"
            )
        }
        let entries = shape[1]
        let axis = try file.floats("axis", shape: [Shift.count, entries, size])
        return CSIScore(
            axes: (0..<Shift.count).map { Array(axis[$0 * entries * size..<($0 + 1) * entries * size]) },
            size: size,
            similarityWeights: try file.floats("weight_sim", shape: [Shift.count]),
            shiftWeights: try file.floats("weight_shift", shape: [Shift.count])
        )
    }

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
