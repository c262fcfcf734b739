import DIA
import Foundation
import Imaging
public import Kernels
import ModelFile
import Neural

/// The whole way from a data set to a model directory: diffusion, encoder, bank, calibration, evaluation.
public struct Pipeline {
    private let recipe: Recipe
    private let data: DataSet
    private let normal: String
    private let folder: String
    private let split: TrainingSplit
    private let work: String
    private let isInterrupted: @Sendable () -> Bool
    private let workers: Workers

    /// A run that trains on the images of `data` labelled `normal` and writes the model to `folder`.
    ///
    /// Checkpoints and losses go to `folder/.training`; a run that was interrupted goes on from there. When
    /// `isInterrupted` says so, the run saves its checkpoint and throws ``Interrupted``.
    public init(
        _ recipe: Recipe,
        data: DataSet,
        normal: String,
        folder: String,
        workers: Workers,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws {
        try data.requireLabel(normal)
        self.recipe = recipe
        self.data = data
        self.normal = normal
        self.folder = folder
        self.workers = workers
        self.isInterrupted = isInterrupted
        let input = recipe.input
        let images = data.prepared(.train, channels: input.channels, height: input.height, width: input.width)
        split = try TrainingSplit(
            images.filter { $0.label == normal }.map(\.image),
            calibrationShare: recipe.score.calibrationShare,
            seed: recipe.seed
        )
        work = "\(folder)/.training"
        try FileManager.default.createDirectory(atPath: work, withIntermediateDirectories: true)
    }

    /// A runner whose checkpoints belong to the seed, the training images and `parts` of the recipe: what the
    /// stage's result depends on, and no more.
    private func runner(_ parts: any Encodable...) throws -> StageRunner {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        var bytes = try Array(encoder.encode(recipe.seed))
        for part in parts { bytes += try encoder.encode(part) }
        for image in split.training {
            bytes += image.samples.map { UInt8(min(max($0, 0), 1) * 255) }
        }
        return StageRunner(
            folder: work,
            recipeDigest: SHA256.hexadecimal(bytes),
            isInterrupted: isInterrupted
        )
    }

    /// Trains the U-Net, or takes it from its finished checkpoint; the weights as the model stores them.
    private func trainDiffusion() throws -> Parameters {
        var stage = DiffusionStage(recipe, images: split.training, workers: workers)
        try runner(recipe.diffusion).run(&stage)
        return stage.averaged.halved
    }

    /// Trains the encoder with dissolved negatives of `diffusion`; the weights as the model stores them.
    private func trainEncoder(diffusion: Parameters) throws -> Parameters {
        let dissolver = Dissolver(
            recipe.network,
            parameters: diffusion,
            schedule: recipe.schedule,
            fit: recipe.diffusion.fit,
            workers: workers
        )
        var stage = EncoderStage(recipe, images: split.training, dissolver: dissolver, workers: workers)
        try runner(recipe.diffusion, recipe.encoder).run(&stage)
        return stage.parameters.halved
    }

    /// Runs every stage and writes the model; returns its figures on the test split, or on the validation
    /// split where there is no test split with both kinds of images.
    public func run() throws -> Evaluation? {
        let diffusion = try trainDiffusion()
        let encoder = try trainEncoder(diffusion: diffusion)
        var writer = try ModelWriter(folder: folder)
        try writer.write(diffusion, to: ModelFiles.unet)
        try writer.write(encoder, to: ModelFiles.encoder)
        try calibrate(encoder, &writer)
        var manifest = recipe.manifest(files: writer.digests)
        manifest.created = Date().formatted(.iso8601)
        manifest.training = .object([
            "normal_label": .string(normal), "training_images": .number(Double(split.training.count)),
            "calibration_images": .number(Double(split.calibration.count)), "seed": .number(Double(recipe.seed)),
            "diffusion_steps": .number(Double(recipe.diffusion.steps)),
            "encoder_steps": .number(Double(recipe.encoder.steps)),
        ])
        try writer.write(manifest)
        guard data.splits[.test]?.contains(where: { $0.label != normal }) == true else { return nil }
        let model = try Model(ModelDirectory(path: folder), workers: workers)
        let evaluation = try Evaluation.run(model, data: data, split: .test, normal: normal, seed: recipe.seed)
        manifest.evaluation = try evaluation.json
        try writer.write(manifest)
        try evaluation.write(to: folder, title: "\(recipe.name) \(recipe.version)")
        try DissolvingGrid.write(model, data: data, split: .test, normal: normal, to: folder)
        return evaluation
    }

    /// Fills the bank with training images, then scores the calibration images against it.
    private func calibrate(_ parameters: Parameters, _ writer: inout ModelWriter) throws {
        let encoder = ImageEncoder(recipe.encoderNetwork, parameters: parameters, views: recipe.views, workers: workers)
        let entries = Array(split.training.prefix(recipe.score.bank))
        let bank = CSIScore(training: features(entries, encoder, "bank"))
        // In half precision before anything is scored, so that stored and measured scores agree.
        let axes = bank.axes.map { $0.map { Float(Float16($0)) } }
        let stored = CSIScore(
            axes: axes,
            size: bank.size,
            similarityWeights: bank.similarityWeights.map { Float(Float16($0)) },
            shiftWeights: bank.shiftWeights.map { Float(Float16($0)) }
        )
        let shape = [Shift.count, stored.entries, stored.size]
        try writer.write(
            [
                NamedTensor(name: "axis", shape: shape, values: axes.flatMap { $0 }),
                NamedTensor(name: "weight_sim", shape: [Shift.count], values: stored.similarityWeights),
                NamedTensor(name: "weight_shift", shape: [Shift.count], values: stored.shiftWeights),
            ],
            to: ModelFiles.bank,
            as: .float16
        )
        let normality = features(split.calibration, encoder, "calibration").map { Float(stored($0).normality) }.sorted()
        try writer.write(
            [NamedTensor(name: "normality", shape: [normality.count], values: normality)],
            to: ModelFiles.calibration,
            as: .float32
        )
    }

    private func features(_ images: [Image], _ encoder: ImageEncoder, _ title: String) -> [Features] {
        var progress = Progress(title, total: images.count)
        var result: [Features] = []
        for start in stride(from: 0, to: images.count, by: 8) {
            result += encoder.features(Array(images[start..<min(start + 8, images.count)]))
            progress.update(result.count)
        }
        return result
    }
}
