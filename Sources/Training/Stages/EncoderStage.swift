import DIA
import Imaging
import Neural

/// Trains the encoder with the contrastive loss, with dissolved or blurred negatives or none (method, section 3).
struct EncoderStage: Stage {
    static let name = "encoder"

    private let recipe: Recipe
    private let images: [Image]
    /// The dissolver for dissolved negatives; nil for other negatives.
    private let dissolver: Dissolver?
    private let plan: TrainingPlan
    private let loss: ContrastiveLoss
    private let augmentation: Augmentation
    private(set) var parameters: Parameters
    private var optimizer: Optimizer
    private var gradient: [Float]
    private let workers: ThreadPool

    init(_ recipe: Recipe, images: [Image], dissolver: Dissolver?, workers: ThreadPool) {
        self.recipe = recipe
        self.images = images
        self.dissolver = dissolver
        let graph = recipe.encoderNetwork.graph()
        plan = TrainingPlan(
            graph,
            batch: recipe.encoder.negatives.chunks * Shift.count * recipe.encoder.batch,
            workers: workers
        )
        loss = ContrastiveLoss(temperature: recipe.encoder.temperature, mask: recipe.encoder.mask)
        augmentation = Augmentation(recipe.encoder)
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
        func flippedAtRandom(_ generator: inout SplitMix64) -> [Image] {
            batch.map { Bool.random(using: &generator) ? $0.flipped : $0 }
        }
        let first = flippedAtRandom(&generator)
        let second = flippedAtRandom(&generator)
        let third = negatives(flippedAtRandom, using: &generator)
        // The order is chunk, shift, image.
        var input: [Float] = []
        var labels: [Int] = []
        let prepared = recipe.manifest(files: [:]).encoderInput
        for chunk in [first, second] + (third.map { [$0] } ?? []) {
            let images = chunk.map { prepared($0) }
            for k in 0..<Shift.count {
                for image in images {
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
        optimizer.step(&parameters, gradient: gradient, rate: recipe.encoder.rate(index), workers: workers)
        return contrastive.loss + shift.loss
    }

    /// Returns the third chunk: negatives of the images of the step, with new random flips.
    private func negatives(
        _ images: (inout SplitMix64) -> [Image],
        using generator: inout SplitMix64
    ) -> [Image]? {
        switch recipe.encoder.negatives {
        case .none: return nil
        case .dissolved:
            let t = Int.random(in: recipe.encoder.dissolveFrom..<recipe.encoder.dissolveTo, using: &generator)
            let images = images(&generator)
            return dissolver?.dissolve(images, at: images.map { _ in t })
        case .gaussian:
            let deviation = Float.random(in: Negatives.deviations, using: &generator)
            return images(&generator).map { $0.blurred(deviation: deviation) }
        case .median: return images(&generator).map { $0.medianFiltered(radius: Negatives.medianRadius) }
        }
    }

    var arrays: [String: [Float]] {
        optimizer.arrays.merging(["parameters": parameters.values]) { first, _ in first }
    }

    mutating func restore(_ checkpoint: Checkpoint) throws {
        let count = parameters.values.count
        parameters.values = try checkpoint.array("parameters", count: count)
        optimizer = try optimizer.restored(from: checkpoint)
    }
}
