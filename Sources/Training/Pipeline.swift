import DIA
import Foundation
import Imaging
import OpenSSL
import ModelFile
public import Neural

/// The training pipeline from a data set to a model directory; each stage writes files that the next stages read.
public struct Pipeline {
    private let recipe: Recipe
    private let data: DataSet
    private let normal: String
    private let folder: String
    private let split: TrainingSplit
    /// The normal training images in the order of the data set, in which images of a patient are often neighbors.
    private let normals: [Image]
    private let checkpointFolder: String
    private let isInterrupted: @Sendable () -> Bool
    private let snapshot: StepSnapshot
    private let workers: ThreadPool

    /// Creates a run that trains on the images of `data` labeled `normal` and writes the model to `folder`.
    ///
    /// Checkpoints and losses are written to `folder/.training`; an interrupted run continues from there. If
    /// `isInterrupted` returns true, the run saves its checkpoint and throws ``Interrupted``. `snapshot` is
    /// for a thread that cannot wait for the end of a long step.
    public init(
        _ recipe: Recipe,
        data: DataSet,
        normal: String,
        folder: String,
        workers: ThreadPool,
        isInterrupted: @escaping @Sendable () -> Bool = { false },
        snapshot: StepSnapshot = StepSnapshot()
    ) throws {
        try data.requireLabel(normal)
        self.recipe = recipe
        self.data = data
        self.normal = normal
        self.folder = folder
        self.workers = workers
        self.isInterrupted = isInterrupted
        self.snapshot = snapshot
        let input = recipe.input
        let images = data.prepared(.train, channels: input.channels, height: input.height, width: input.width)
        let normals = images.filter { $0.label == normal }
        self.normals = normals.map(\.image)
        let groups = normals.compactMap(\.group)
        split = try TrainingSplit(
            normals.map(\.image),
            groups: groups.count == normals.count ? groups : nil,
            calibrationShare: recipe.score.calibrationShare,
            seed: recipe.seed
        )
        checkpointFolder = "\(folder)/.training"
        try FileManager.default.createDirectory(atPath: checkpointFolder, withIntermediateDirectories: true)
    }

    /// Runs all stages; returns the results on the test split, or nil if the test split does not have both kinds of
    /// images.
    public func run() throws -> Evaluation? {
        try requireCalibrationImages()
        try trainDiffusion()
        try trainEncoder()
        try calibrate()
        return canEvaluate ? try evaluate() : nil
    }

    /// Throws an error if too few images are held out for a threshold, because files cannot be read or groups are large.
    private func requireCalibrationImages() throws {
        let (held, required) = (split.calibration.count, recipe.requiredCalibrationImages)
        guard held < required else { return }
        throw DataError(
            "train",
            "\(held) images are held out for calibration, but a threshold at score.alpha needs \(required); raise "
                + "score.calibration_share, add images, or use smaller groups"
        )
    }

    /// Whether the test split has both normal and anomalous images.
    public var canEvaluate: Bool {
        let test = data.splits[.test] ?? []
        return test.contains { $0.label == normal } && test.contains { $0.label != normal }
    }

    /// Trains the U-Net, or reads it from its finished checkpoint, and writes its weights.
    public func trainDiffusion() throws {
        var stage = DiffusionStage(recipe, images: split.training, workers: workers)
        try runner([recipe.diffusion]).run(&stage)
        var writer = try ModelWriter(folder: folder)
        try writer.write(stage.averaged, to: ModelFiles.unet)
    }

    /// Trains the encoder, or reads it from its finished checkpoint, and writes its weights.
    ///
    /// Dissolved negatives are computed with the U-Net weights in the file.
    public func trainEncoder() throws {
        var writer = try ModelWriter(folder: folder)
        var dissolver: Dissolver?
        var parts: [any Encodable] = [recipe.encoder]
        if recipe.encoder.negatives == .dissolved {
            dissolver = try self.dissolver(&writer)
            parts.append(writer.digests)
        }
        var stage = EncoderStage(recipe, images: split.training, dissolver: dissolver, workers: workers)
        try runner(parts).run(&stage)
        try writer.write(stage.parameters, to: ModelFiles.encoder)
    }

    /// Fills the bank with training images, scores the calibration images with it, and writes model.json.
    public func calibrate() throws {
        var writer = try ModelWriter(folder: folder)
        let (scorer, parts) = try scorer(&writer)
        let entries = Array(split.training.prefix(recipe.score.bank))
        let filled = try ScoreBank(
            training: try scoreInputs(entries, scorer, "bank"),
            variation: try variation(of: entries, scorer, parts),
            parts: parts
        )
        // Use the bank as stored, in half precision, so that later scores agree with the calibration.
        let stored = try writer.write(filled.tensors, to: ModelFiles.bank, as: .float16)
        let bank = try ScoreBank(stored, network: recipe.encoderNetwork, parts: parts)
        let normality = try scoreInputs(split.calibration, scorer, "calibration").map { Float(bank($0).normality) }
            .sorted()
        let inputCheck = InputCheck(fitting: normals)
        try writer.write(
            [NamedTensor(name: "normality", shape: [normality.count], values: normality)] + (inputCheck?.tensors ?? []),
            to: ModelFiles.calibration,
            as: .float32
        )
        var manifest = recipe.manifest(files: writer.digests)
        manifest.created = Date().formatted(.iso8601)
        manifest.training = .object([
            "normal_label": .string(normal), "training_images": .number(Double(split.training.count)),
            "calibration_images": .number(Double(split.calibration.count)), "seed": .number(Double(recipe.seed)),
            "diffusion_steps": .number(Double(recipe.diffusion.steps)),
            "encoder_steps": .number(Double(recipe.encoder.steps)),
        ])
        try writer.write(manifest)
        // The outputs in the golden set must come from the model as loaded from its files.
        let model = try Model(ModelDirectory(path: folder), workers: workers)
        let golden = GoldenSet.synthetic(for: model, seed: recipe.seed)
        try writer.write(golden.tensors, to: ModelFiles.golden, as: .float32)
        manifest.golden = ModelManifest.Golden(file: ModelFiles.golden, sha256: writer.digests[ModelFiles.golden] ?? "")
        try writer.write(manifest)
    }

    /// Evaluates the model on the test split, writes the report, and adds the results to model.json.
    public func evaluate() throws -> Evaluation {
        let model = try Model(ModelDirectory(path: folder), workers: workers)
        let report = try Report(
            model,
            data: data,
            split: .test,
            normal: normal,
            seed: recipe.seed,
            workers: workers,
            isInterrupted: isInterrupted
        )
        try report.write(model, data: data, normal: normal, to: folder)
        var manifest = model.information.manifest
        manifest.evaluation = try report.evaluation.json
        try ModelWriter(folder: folder).write(manifest)
        return report.evaluation
    }

    private func dissolver(_ writer: inout ModelWriter) throws -> Dissolver {
        let weights = try writer.read(ModelFiles.unet, of: DiffusionStage.name)
        return try recipe.manifest(files: [:]).dissolver(weights, workers: workers)
    }

    private func scorer(_ writer: inout ModelWriter) throws -> (Scorer, [ScoreComponent]) {
        let manifest = recipe.manifest(files: [:])
        let parts = try manifest.scoreParts()
        let weights = try writer.read(ModelFiles.encoder, of: EncoderStage.name)
        let encoder = try manifest.imageEncoder(weights, parts: parts, workers: workers)
        return (Scorer(encoder: encoder, dissolver: try dissolver(&writer), parts: parts), parts)
    }

    /// Scores varied copies of `images`, if the score has a density for them.
    private func variation(of images: [Image], _ scorer: Scorer, _ parts: [ScoreComponent]) throws -> ScoreVariation {
        let count = recipe.score.variedCopies(of: images.count, for: parts)
        guard count > 0 else { return .none }
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.variation)
        let originals = (0..<count).flatMap { _ in images.indices }
        let copies = originals.map { AcquisitionVariation.copy(of: images[$0], using: &generator) }
        let inputs = try scoreInputs(copies, scorer, "variation")
        return ScoreVariation(
            weight: recipe.score.variation,
            copies: zip(originals, inputs).map { ScoreVariation.Copy(original: $0, inputs: $1) }
        )
    }

    private func scoreInputs(_ images: [Image], _ scorer: Scorer, _ title: String) throws -> [ScoreInputs] {
        try mapBatches(
            images,
            size: scorer.preferredBatchSize,
            title: title,
            phase: .calibration,
            isInterrupted: isInterrupted
        ) { scorer.inputs($0) }
    }

    /// Creates a runner whose checkpoints depend on the seed, the training images and `parts` of the recipe, which
    /// determine the result of the stage.
    private func runner(_ parts: [any Encodable]) throws -> StageRunner {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var bytes = try Array(encoder.encode(recipe.seed))
        for part in parts { bytes += try encoder.encode(part) }
        for image in split.training {
            bytes += image.samples.map { UInt8(min(max($0, 0), 1) * 255) }
        }
        return StageRunner(
            folder: checkpointFolder,
            recipeDigest: SHA256.hexadecimal(bytes),
            isInterrupted: isInterrupted,
            snapshot: snapshot
        )
    }
}
