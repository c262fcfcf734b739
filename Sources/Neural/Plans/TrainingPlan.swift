public import Kernels

/// A network prepared for training on batches of one size; all buffers are planned once and reused.
///
/// Not `Sendable`: one owner trains.
public final class TrainingPlan {
    /// The number of images in a batch.
    public let batch: Int
    private let graph: Graph
    private let workers: ThreadPool
    private let memory: FloatBuffer
    private let workspace: FloatBuffer
    private var values: [MutableFloats] = []
    /// The address of each value that the backward pass recomputes; nil for the others.
    private var repeated: [MutableFloats?] = []
    private var gradients: [MutableFloats?] = []
    private var saved: [MutableFloats] = []

    /// The plan size in floats from which values that are cheap to compute are recomputed, not kept: 4 GB.
    private static let repeatingFrom = 1 << 30

    /// Plans `graph` for `batch` images.
    ///
    /// With `repeating`, the backward pass recomputes the outputs of norms; this is the default for large plans.
    /// Results are bit-identical in both cases.
    public init(_ graph: Graph, batch: Int, repeating: Bool? = nil, workers: ThreadPool) {
        precondition(batch > 0, "invalid batch size: \(batch)")
        self.graph = graph
        self.batch = batch
        self.workers = workers
        var places = TrainingMemoryLayout(graph, batch: batch, repeating: repeating ?? false)
        if repeating == nil, places.total > Self.repeatingFrom {
            places = TrainingMemoryLayout(graph, batch: batch, repeating: true)
        }
        memory = FloatBuffer(count: places.total)
        workspace = FloatBuffer(count: graph.nodes.map { $0.operation.workspaceCount(batch: batch) }.max() ?? 0)
        let base = memory.pointer
        values = places.values.map { base + $0 }
        repeated = places.repeated.map { $0.map { base + $0 } }
        gradients = places.gradients.map { $0.map { base + $0 } }
        saved = places.saved.map { base + $0 }
    }

    /// The number of floats that this plan holds.
    public var floatCount: Int { memory.count + workspace.count }

    /// Runs the network on `inputs`, each `[batch, H, W, C]`, and returns the outputs.
    ///
    /// Saves what ``backward(_:parameters:accumulating:)`` needs, and updates the running statistics in `parameters`.
    public func forward(_ inputs: [[Float]], parameters: inout Parameters) -> [[Float]] {
        precondition(inputs.count == graph.inputs.count, "\(inputs.count) inputs, expected \(graph.inputs.count)")
        for (index, input) in zip(graph.inputs, inputs) {
            precondition(input.count == batch * graph.shapes[index].count, "wrong input size: \(input.count)")
            input.withUnsafeBufferPointer { source in
                guard let base = source.baseAddress else { return }
                values[index].update(from: base, count: input.count)
            }
        }
        parameters.values.withUnsafeMutableBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return }
            for (index, node) in graph.nodes.enumerated() {
                node.operation.forward(
                    ForwardPass(
                        batch: batch,
                        first: values[node.inputs[0]],
                        second: node.inputs.count > 1 ? Floats(values[node.inputs[1]]) : nil,
                        output: values[node.output],
                        saved: saved[index],
                        workspace: workspace.pointer,
                        parameters: base,
                        workers: workers
                    )
                )
            }
        }
        return graph.outputs.map {
            Array(UnsafeBufferPointer(start: values[$0], count: batch * graph.shapes[$0].count))
        }
    }

    /// Adds ∂loss/∂parameters to `gradient` for ∂loss/∂outputs, after a forward pass.
    ///
    /// The gradient of an output that the loss does not use is nil.
    public func backward(_ outputGradients: [[Float]?], parameters: Parameters, accumulating gradient: inout [Float]) {
        precondition(outputGradients.count == graph.outputs.count, "expected one gradient for each output")
        precondition(gradient.count == parameters.values.count, "the gradient does not match the parameters")
        var isWritten = Array(repeating: false, count: graph.shapes.count)
        var isRepeated = Array(repeating: false, count: graph.shapes.count)
        for (index, values) in zip(graph.outputs, outputGradients) {
            guard let values, let target = gradients[index] else { continue }
            precondition(values.count == batch * graph.shapes[index].count, "wrong gradient size: \(values.count)")
            for (place, value) in values.enumerated() { target[place] = value }
            isWritten[index] = true
        }
        let producers = graph.producers
        parameters.values.withUnsafeBufferPointer { parameters in
            gradient.withUnsafeMutableBufferPointer { gradient in
                guard let parameters = parameters.baseAddress, let gradient = gradient.baseAddress else { return }
                for index in graph.nodes.indices.reversed() {
                    for input in graph.nodes[index].inputs where repeated[input] != nil && !isRepeated[input] {
                        producers[input].map { computeAgain($0, parameters) }
                        isRepeated[input] = true
                    }
                    backward(index, &isWritten, parameters, gradient)
                }
            }
        }
    }

    /// Recomputes the output of node `index`.
    private func computeAgain(_ index: Int, _ parameters: Floats) {
        let node = graph.nodes[index]
        guard let output = repeated[node.output] else { return }
        node.operation.repeatForward(
            ForwardPass(
                batch: batch,
                first: values[node.inputs[0]],
                second: nil,
                output: output,
                saved: saved[index],
                workspace: workspace.pointer,
                // Read only: the repeated pass does not update running statistics.
                parameters: MutableFloats(mutating: parameters),
                workers: workers
            )
        )
    }

    private func backward(
        _ index: Int,
        _ isWritten: inout [Bool],
        _ parameters: Floats,
        _ parameterGradients: MutableFloats
    ) {
        let node = graph.nodes[index]
        guard isWritten[node.output], let outputGradient = gradients[node.output] else { return }
        func target(_ position: Int) -> GradientTarget? {
            guard position < node.inputs.count, let pointer = gradients[node.inputs[position]] else { return nil }
            defer { isWritten[node.inputs[position]] = true }
            return GradientTarget(pointer: pointer, accumulate: isWritten[node.inputs[position]])
        }
        let first = target(0)
        let second = target(1)
        node.operation.backward(
            BackwardPass(
                batch: batch,
                first: repeated[node.inputs[0]] ?? values[node.inputs[0]],
                second: node.inputs.count > 1 ? Floats(repeated[node.inputs[1]] ?? values[node.inputs[1]]) : nil,
                output: values[node.output],
                saved: saved[index],
                workspace: workspace.pointer,
                parameters: parameters,
                outputGradient: outputGradient,
                firstGradient: first,
                secondGradient: second,
                parameterGradients: parameterGradients,
                workers: workers
            )
        )
    }
}
