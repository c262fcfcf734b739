import DIA
import Imaging
import Neural

/// Trains the U-Net to predict noise (method, section 1).
struct DiffusionStage: Stage {
    static let name = "diffusion"

    private let recipe: Recipe
    private let network: UNet
    private let schedule: NoiseSchedule
    private let plan: TrainingPlan
    /// The training images and their mirror images, in [-1, 1] and at the resolution of the U-Net.
    private let images: [[Float]]
    private let mirrored: [[Float]]
    private(set) var parameters: Parameters
    private var optimizer: Optimizer
    private var gradient: [Float]
    private let workers: ThreadPool
    private var average: MovingAverage

    /// The step before which the average is a copy, so that untrained weights do not stay in the average.
    private static let averageAfter = 100

    init(_ recipe: Recipe, images: [Image], workers: ThreadPool) {
        self.recipe = recipe
        network = recipe.unet
        schedule = recipe.schedule
        let graph = network.graph()
        plan = TrainingPlan(graph, batch: recipe.diffusion.batch, workers: workers)
        let side = recipe.diffusion.resolution
        self.images = images.map { recipe.diffusion.fit.networkInput($0, side: side) }
        mirrored = images.map { recipe.diffusion.fit.networkInput($0.flipped, side: side) }
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.diffusionWeights)
        parameters = Parameters(layout: graph.parameters, using: &generator)
        optimizer = Optimizer(recipe.diffusion.optimizer.rule, count: parameters.values.count)
        gradient = [Float](repeating: 0, count: parameters.values.count)
        self.workers = workers
        average = MovingAverage(of: parameters.values, decay: recipe.diffusion.emaDecay)
    }

    var steps: Int { recipe.diffusion.steps }

    /// The averaged weights, which are the weights of the model.
    var averaged: Parameters {
        var result = parameters
        result.values = average.values
        return result
    }

    mutating func step(_ index: Int) -> Float {
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.diffusionSteps + UInt64(index))
        var noised: [Float] = []
        var embeddings: [Float] = []
        let size = images[0].count
        let noise = Normal.array(count: size * recipe.diffusion.batch, using: &generator)
        for place in 0..<recipe.diffusion.batch {
            let image = Int.random(in: images.indices, using: &generator)
            let source = Bool.random(using: &generator) ? images[image] : mirrored[image]
            let t = Int.random(in: 0..<schedule.timesteps, using: &generator)
            noised += schedule.diffuse(source[...], noise: noise[place * size..<(place + 1) * size], at: t)
            embeddings += network.timeEmbedding(t)
        }
        let output = plan.forward([noised, embeddings], parameters: &parameters)
        let (loss, slope) = L1Loss.loss(output[0], target: noise)
        gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        plan.backward([slope], parameters: parameters, accumulating: &gradient)
        optimizer.step(&parameters, gradient: gradient, rate: recipe.diffusion.rate(index), workers: workers)
        if index < Self.averageAfter {
            average.values = parameters.values
        } else if (index + 1) % recipe.diffusion.emaEvery == 0 {
            average.update(towards: parameters.values)
        }
        return loss
    }

    var arrays: [String: [Float]] {
        optimizer.arrays.merging(["parameters": parameters.values, "average": average.values]) { first, _ in first }
    }

    mutating func restore(_ checkpoint: Checkpoint) throws {
        let count = parameters.values.count
        parameters.values = try checkpoint.array("parameters", count: count)
        average.values = try checkpoint.array("average", count: count)
        optimizer = try optimizer.restored(from: checkpoint)
    }
}
