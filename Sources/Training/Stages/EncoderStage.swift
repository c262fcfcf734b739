import DIA
import Glibc
import Imaging
import Kernels
import Neural

/// Trains the encoder by contrast, with dissolved copies as negatives (method, section 3).
struct EncoderStage: Stage {
    static let name = "encoder"

    private let recipe: Recipe
    private let images: [Image]
    private let dissolver: Dissolver
    private let plan: TrainingPlan
    private let loss: ContrastiveLoss
    private let augmentation: Augmentation
    private(set) var parameters: Parameters
    private var optimizer: Optimizer
    private var gradient: [Float]
    private let workers: Workers

    init(_ recipe: Recipe, images: [Image], dissolver: Dissolver, workers: Workers) {
        self.recipe = recipe
        self.images = images
        self.dissolver = dissolver
        let graph = recipe.encoderNetwork.graph()
        plan = TrainingPlan(graph, batch: 3 * Shift.count * recipe.encoder.batch, workers: workers)
        loss = ContrastiveLoss(temperature: recipe.encoder.temperature, mask: recipe.encoder.mask)
        augmentation = Augmentation(cropScale: recipe.encoder.cropScale, jitter: recipe.encoder.jitter)
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.encoderWeights)
        parameters = Parameters(layout: graph.parameters, using: &generator)
        optimizer = Optimizer(recipe.encoder.optimizer.rule, count: parameters.values.count)
        gradient = [Float](repeating: 0, count: parameters.values.count)
        self.workers = workers
    }

    var steps: Int { recipe.encoder.steps }

    mutating func step(_ index: Int) -> Float {
        var generator = SplitMix64(seed: recipe.seed, stream: RandomStream.encoderSteps + UInt64(index))
        let batch = (0..<recipe.encoder.batch).map { _ in images[Int.random(in: images.indices, using: &generator)] }
        func flippedAtRandom() -> [Image] { batch.map { Bool.random(using: &generator) ? $0.flipped : $0 } }
        let first = flippedAtRandom()
        let second = flippedAtRandom()
        let t = Int.random(in: recipe.encoder.dissolveFrom..<recipe.encoder.dissolveTo, using: &generator)
        let third = dissolver.dissolve(flippedAtRandom(), at: Array(repeating: t, count: batch.count))
        // Chunk, shift, image.
        var input: [Float] = []
        var labels: [Int] = []
        for chunk in [first, second, third] {
            for k in 0..<Shift.count {
                for image in chunk {
                    input += augmentation(recipe.encoder.shifts(image, k), using: &generator).samples
                    labels.append(k)
                }
            }
        }
        let outputs = plan.forward([input], parameters: &parameters)
        let contrastive = loss(outputs[1], size: recipe.encoder.projection, group: Shift.count * batch.count)
        let shift = CrossEntropy.loss(outputs[2], classes: Shift.count, labels: labels)
        gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        plan.backward(
            [nil, contrastive.gradient, shift.gradient],
            parameters: parameters,
            accumulating: &gradient
        )
        optimizer.step(&parameters, gradient: gradient, rate: rate(at: index), workers: workers)
        return contrastive.loss + shift.loss
    }

    /// Linear warm-up from a tenth, then a cosine to zero.
    private func rate(at step: Int) -> Float {
        let (peak, warmUp) = (recipe.encoder.learningRate, recipe.encoder.warmUpSteps)
        if step < warmUp { return peak * (0.1 + 0.9 * Float(step) / Float(warmUp)) }
        return peak * 0.5 * (1 + cos(.pi * Float(step - warmUp) / Float(max(steps - warmUp, 1))))
    }

    var arrays: [String: [Float]] {
        var arrays = ["parameters": parameters.values]
        for (index, moment) in optimizer.moments.enumerated() { arrays["moment.\(index)"] = moment }
        return arrays
    }

    mutating func restore(_ checkpoint: Checkpoint) throws {
        let count = parameters.values.count
        parameters.values = try checkpoint.array("parameters", count: count)
        let moments = try optimizer.moments.indices.map { try checkpoint.array("moment.\($0)", count: count) }
        optimizer = Optimizer(optimizer.rule, steps: checkpoint.step, moments: moments)
    }
}
