public import Kernels

/// A network made ready to serve: weights folded and packed once, layers fused, every buffer planned.
///
/// Fusing: a convolution takes in the batch normalisation behind it, weight standardisation, the bias, a
/// sum with a value computed before it, and ReLU. Not `Sendable`: one owner runs it.
public final class InferencePlan {
    /// The most images of one run.
    public let maximumBatch: Int
    private let graph: Graph
    private let workers: Workers
    private let steps: [Step]
    private let memory: FloatBuffer
    private let parameters: FloatBuffer
    private let values: [MutableFloats]

    /// What is done between two buffers.
    private enum Work {
        case convolution(PreparedConvolution, residual: Int?)
        case operation(any Operation, second: Int?, saved: MutableFloats)
    }

    private struct Step {
        let work: Work
        let input: Int
        let output: Int
    }

    /// Prepares `graph` with the numbers of `parameters` for up to `maximumBatch` images a run.
    public init(_ graph: Graph, parameters: Parameters, maximumBatch: Int, workers: Workers) {
        precondition(maximumBatch > 0, "a batch of \(maximumBatch)")
        self.graph = graph
        self.workers = workers
        self.maximumBatch = maximumBatch
        let stored = FloatBuffer(parameters.values)
        let fused = FusedNode.fuse(graph)
        let lifetimes = Self.lifetimes(fused, graph)
        var plan = MemoryPlan()
        let requests = graph.shapes.indices.map { index in
            lifetimes[index].map { plan.add(count: maximumBatch * graph.shapes[index].count, lifetime: $0) }
        }
        let savedRequests = fused.enumerated().map { index, node in
            plan.add(count: node.node.operation.savedCount(batch: maximumBatch), lifetime: index...index)
        }
        let (offsets, total) = plan.place()
        let memory = FloatBuffer(count: total)
        values = requests.map { memory.pointer + ($0.map { offsets[$0] } ?? 0) }
        steps = fused.enumerated().map { index, fused in
            let node = fused.node
            let work: Work =
                if let convolution = node.operation as? ConvolutionOperation {
                    .convolution(
                        PreparedConvolution(
                            convolution,
                            norm: fused.norm,
                            relu: fused.relu,
                            parameters: stored.pointer,
                            batch: maximumBatch,
                            workers: workers
                        ),
                        residual: fused.residual
                    )
                } else {
                    .operation(
                        node.operation,
                        second: node.inputs.count > 1 ? node.inputs[1] : nil,
                        saved: memory.pointer + offsets[savedRequests[index]]
                    )
                }
            return Step(work: work, input: node.inputs[0], output: fused.output)
        }
        self.memory = memory
        self.parameters = stored
    }

    /// When each value is alive; nil for one that fusing removed.
    private static func lifetimes(_ fused: [FusedNode], _ graph: Graph) -> [ClosedRange<Int>?] {
        var result = [ClosedRange<Int>?](repeating: nil, count: graph.shapes.count)
        func use(_ value: Int, at step: Int) {
            result[value] = min(result[value]?.lowerBound ?? step, step)...max(result[value]?.upperBound ?? step, step)
        }
        for input in graph.inputs { use(input, at: 0) }
        for (step, node) in fused.enumerated() {
            use(node.output, at: step)
            for input in node.node.inputs + (node.residual.map { [$0] } ?? []) { use(input, at: step) }
        }
        for output in graph.outputs { use(output, at: fused.count) }
        return result
    }

    /// The floats this plan holds, packed weights left out.
    public var floatCount: Int { memory.count + parameters.count }

    /// Runs the network on `batch` images, 1 to ``maximumBatch``; `inputs` are `[batch, H, W, C]` each, and
    /// so are the outputs.
    public func run(_ inputs: [[Float]], batch: Int) -> [[Float]] {
        precondition((1...maximumBatch).contains(batch), "a batch of \(batch), planned for \(maximumBatch)")
        precondition(inputs.count == graph.inputs.count, "\(inputs.count) inputs of \(graph.inputs.count)")
        for (index, input) in zip(graph.inputs, inputs) {
            precondition(input.count == batch * graph.shapes[index].count, "input of \(input.count) numbers")
            input.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                values[index].update(from: base, count: input.count)
            }
        }
        for step in steps { run(step, batch) }
        return graph.outputs.map {
            Array(UnsafeBufferPointer(start: values[$0], count: batch * graph.shapes[$0].count))
        }
    }

    private func run(_ step: Step, _ batch: Int) {
        switch step.work {
        case .convolution(let convolution, let residual):
            convolution.run(
                batch: batch,
                input: values[step.input],
                residual: residual.map { Floats(values[$0]) },
                output: values[step.output],
                workers
            )
        case .operation(let operation, let second, let saved):
            operation.forward(
                ForwardPass(
                    batch: batch,
                    first: values[step.input],
                    second: second.map { Floats(values[$0]) },
                    output: values[step.output],
                    saved: saved,
                    workspace: saved,
                    parameters: parameters.pointer,
                    workers: workers
                )
            )
        }
    }
}

/// A convolution with its weights folded, packed and ready.
private struct PreparedConvolution {
    let shape: ConvolutionShape
    let algorithm: ConvolutionAlgorithm
    let packed: FloatBuffer
    let bias: FloatBuffer
    let relu: Bool

    init(
        _ operation: ConvolutionOperation,
        norm: BatchNormOperation?,
        relu: Bool,
        parameters: Floats,
        batch: Int,
        workers: Workers
    ) {
        shape = operation.shape
        self.relu = relu
        algorithm = .choose(shape, batch: batch)
        let weights = FloatBuffer(count: shape.weightCount)
        let effective = operation.effectiveWeights(parameters, into: weights.pointer)
        let bias = FloatBuffer(count: shape.outputChannels)
        let perChannel = shape.weightCount / shape.outputChannels
        for channel in 0..<shape.outputChannels {
            // y = γ (w x + b - mean) / sqrt(var + eps) + β
            var (scale, shift): (Float, Float) = (1, operation.bias.map { parameters[$0 + channel] } ?? 0)
            if let norm {
                let variance = parameters[norm.runningVariance + channel] + BatchNorm.epsilon
                scale = parameters[norm.gain + channel] / variance.squareRoot()
                shift = (shift - parameters[norm.runningMean + channel]) * scale + parameters[norm.bias + channel]
            }
            bias.pointer[channel] = shift
            for index in channel * perChannel..<(channel + 1) * perChannel {
                weights.pointer[index] = effective[index] * scale
            }
        }
        let packed = FloatBuffer(count: Convolution.packedCount(shape, algorithm))
        Convolution.pack(weights.pointer, shape, algorithm, into: packed.pointer, workers)
        self.bias = bias
        self.packed = packed
    }

    func run(batch: Int, input: Floats, residual: Floats?, output: MutableFloats, _ workers: Workers) {
        Convolution.forward(
            shape,
            algorithm,
            batch: batch,
            input: input,
            packed: packed.pointer,
            epilogue: Epilogue(bias: Floats(bias.pointer), residual: residual, relu: relu),
            output: output,
            workers
        )
    }
}
