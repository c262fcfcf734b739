import DIA
import Foundation
import Imaging
public import Neural

/// The time and memory that a recipe takes on this machine, from a few real steps of its networks.
public struct RecipeEstimate: Sendable {
    /// The time of a training step of each network, and of scoring one image, in seconds.
    public let diffusionStep, encoderStep, scoredImage: Double
    /// The number of images that are scored for the bank and for calibration.
    public let scoredImages: Int
    /// The total time in seconds, without reading the data and the evaluation.
    public let total: Double
    /// The peak memory in bytes, with the data.
    public let memory: Int

    /// Runs a few steps of `recipe` on phantoms; `normals` is the number of normal training images.
    ///
    /// Throws ``Interrupted`` if `isInterrupted` returns true.
    public init(
        measuring recipe: Recipe,
        normals: Int,
        workers: ThreadPool,
        isInterrupted: () -> Bool = { false }
    ) throws {
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.golden)
        let (input, side) = (recipe.input, max(recipe.input.height, recipe.input.width))
        let images = (0..<4).map { _ in
            Phantom(side: side).image(withLesion: false, using: &generator).converted(toChannels: input.channels)
                .resized(height: input.height, width: input.width)
        }
        func time(_ work: () throws -> Void) throws -> Double {
            if isInterrupted() { throw Interrupted(.inspection) }
            let start = ContinuousClock.now
            try work()
            return (ContinuousClock.now - start) / .seconds(1)
        }
        /// Returns the shortest time of a step; the first one also allocates memory.
        func step(_ stage: inout some Stage) throws -> Double {
            let first = try time { _ = try stage.step(0) }
            guard first < 20 else { return first }
            return try (1...2).map { index in try time { _ = try stage.step(index) } }.min() ?? first
        }
        let parameters: Parameters
        do {
            var stage = DiffusionStage(recipe, images: images, workers: workers)
            diffusionStep = try step(&stage)
            parameters = stage.averaged
        }
        let dissolver = Dissolver(
            recipe.unet,
            parameters: parameters,
            schedule: recipe.schedule,
            fit: recipe.diffusion.fit,
            workers: workers
        )
        var stage = EncoderStage(recipe, images: images, dissolver: dissolver, workers: workers)
        encoderStep = try step(&stage)
        let manifest = recipe.manifest(files: [:])
        let parts = try manifest.scoreParts()
        let encoder = manifest.imageEncoder(stage.parameters, parts: parts, workers: workers)
        let scorer = Scorer(encoder: encoder, dissolver: dissolver, parts: parts)
        let batch = (0..<max(scorer.preferredBatchSize, 1)).map { images[$0 % images.count] }
        _ = try time { _ = scorer.inputs(batch) }
        scoredImage = try time { _ = scorer.inputs(batch) } / Double(batch.count)
        let calibration = Int(Double(normals) * recipe.score.calibrationShare)
        let bank = min(normals - calibration, recipe.score.bank)
        scoredImages = bank * (1 + recipe.score.variedCopies(of: bank, for: parts)) + calibration
        total =
            Double(recipe.diffusion.steps) * diffusionStep + Double(recipe.encoder.steps) * encoderStep
            + Double(scoredImages) * scoredImage
        // The diffusion stage also keeps each image, and its mirror image, at the resolution of the U-Net.
        let resolution = recipe.diffusion.resolution
        let samples = (input.height * input.width + 2 * resolution * resolution) * input.channels
        memory = Self.peakMemory + normals * samples * MemoryLayout<Float>.size
    }

    /// The peak resident memory of this process in bytes (`getrusage`).
    static var peakMemory: Int {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return 0 }
        return Int(usage.ru_maxrss) * 1024
    }

    /// The estimate as lines of text.
    public var lines: [String] {
        func seconds(_ value: Double) -> String { String(format: value < 10 ? "%.3f s" : "%.0f s", value) }
        let hours =
            total < 5400
            ? String(format: "%.0f minutes", (total / 60).rounded(.up)) : String(format: "%.1f hours", total / 3600)
        return [
            "Measured on this machine: \(seconds(diffusionStep)) per step of the U-Net, \(seconds(encoderStep)) per step",
            "of the encoder, \(seconds(scoredImage)) per image for the bank and calibration (\(scoredImages) images).",
            "Estimate: \(hours), \(String(format: "%.1f", Double(memory) / 1e9)) GB of memory.",
        ]
    }
}
