import DIA
import Kernels
import ModelFile
import Neural

/// The network that is run and timed.
final class Workload {
    private enum Kind {
        case inference(InferencePlan)
        case training(TrainingWorkload)
    }

    private let kind: Kind
    private let inputs: [[Float]]
    private let batch: Int
    /// The operations of the products in one run, in billions of floating-point operations (GFLOP).
    let operations: Double
    // Reused by every run, as in the service.
    private var outputs: [[Float]] = []

    /// The diffusion step of all images.
    private static let step = 100

    init(_ options: Time, _ directory: ModelDirectory, _ workers: ThreadPool) throws {
        batch = options.batch
        let graph: Graph
        let parameters: Parameters
        switch options.network {
        case .unet:
            let (network, numbers) = try directory.unet()
            (graph, parameters) = (network.graph(), numbers)
            let images = try options.images(count: batch * network.resolution * network.resolution * network.channels)
            let embedding = network.timeEmbedding(Self.step)
            inputs = [images, (0..<batch).flatMap { _ in embedding }]
        case .encoder:
            let (network, numbers) = try directory.encoder()
            (graph, parameters) = (network.graph(), numbers)
            inputs = [try options.images(count: batch * network.height * network.columns * network.channels)]
        }
        let chunk: Int
        if options.training {
            chunk = batch
            kind = .training(TrainingWorkload(graph, parameters, options.network, batch: batch, workers))
        } else {
            let plan = InferencePlan(graph, parameters: parameters, chunk: options.chunk, workers: workers)
            chunk = plan.chunk
            kind = .inference(plan)
        }
        operations = graph.productOperations(batch: batch, chunk: chunk, training: options.training) / 1e9
    }

    /// Runs for the first time; returns the outputs, or the loss of a training step.
    func run() -> [Float] {
        switch kind {
        case .inference(let plan):
            outputs = plan.run(inputs, batch: batch)
            return outputs.flatMap { $0 }
        case .training(let training):
            return [training.step(inputs)]
        }
    }

    /// Runs again after the first run.
    func `repeat`() {
        switch kind {
        case .inference(let plan): plan.run(inputs, batch: batch, into: &outputs)
        case .training(let training): _ = training.step(inputs)
        }
    }
}

/// A training step: forward pass, loss, backward pass, optimizer.
final class TrainingWorkload {
    private let plan: TrainingPlan
    private let network: Time.Network
    private let batch: Int
    private var parameters: Parameters
    private var optimizer: Optimizer
    private var gradient: [Float]
    private let workers: ThreadPool

    init(_ graph: Graph, _ parameters: Parameters, _ network: Time.Network, batch: Int, _ workers: ThreadPool) {
        self.network = network
        self.batch = batch
        self.parameters = parameters
        plan = TrainingPlan(graph, batch: batch, workers: workers)
        optimizer = Optimizer(.adam(beta1: 0.9, beta2: 0.99, weightDecay: 0), count: parameters.values.count)
        gradient = [Float](repeating: 0, count: parameters.values.count)
        self.workers = workers
    }

    /// Runs one step on `inputs` and returns the loss.
    ///
    /// The U-Net learns to reproduce its input with the L1 loss. The batch of the encoder consists of three chunks,
    /// each with all shifts, in the same layout as in the encoder stage.
    func step(_ inputs: [[Float]]) -> Float {
        let outputs = plan.forward(inputs, parameters: &parameters)
        gradient.withUnsafeMutableBufferPointer { $0.update(repeating: 0) }
        let loss: Float
        switch network {
        case .unet:
            let (value, slope) = L1Loss.loss(outputs[0], target: inputs[0])
            loss = value
            plan.backward([slope], parameters: parameters, accumulating: &gradient)
        case .encoder:
            let group = batch / 3
            let labels = (0..<batch).map { $0 % group / (group / Shift.count) }
            let contrastive = ContrastiveLoss(temperature: 0.5, mask: .shiftedRemoved)(
                outputs[1],
                size: outputs[1].count / batch,
                group: group
            )
            let shift = CrossEntropy.loss(outputs[2], classes: Shift.count, labels: labels)
            loss = contrastive.loss + shift.loss
            plan.backward(
                [nil, contrastive.gradient, shift.gradient],
                parameters: parameters,
                accumulating: &gradient
            )
        }
        optimizer.step(&parameters, gradient: gradient, rate: 1e-4, workers: workers)
        return loss
    }
}
