public import Kernels

/// A network made ready to train on batches of one size: every buffer of a forward and a backward pass
/// is planned once and reused.
///
/// Not `Sendable`: one owner trains.
public final class TrainingPlan {
    /// The images of a batch.
    public let batch: Int
    private let graph: Graph
    private let workers: Workers
    private let memory: FloatBuffer
    private let workspace: FloatBuffer
    private var values: [MutableFloats] = []
    private var gradients: [MutableFloats?] = []
    private var saved: [MutableFloats] = []

    /// Plans `graph` for `batch` images.
    public init(_ graph: Graph, batch: Int, workers: Workers) {
        precondition(batch > 0, "a batch of \(batch)")
        self.graph = graph
        self.batch = batch
        self.workers = workers
        let lifetimes = TrainingLifetimes(graph)
        var plan = MemoryPlan()
        let valueRequests = graph.shapes.indices.map {
            plan.add(count: batch * graph.shapes[$0].count, lifetime: lifetimes.values[$0])
        }
        let gradientRequests = graph.shapes.indices.map { index in
            lifetimes.gradients[index].map { plan.add(count: batch * graph.shapes[index].count, lifetime: $0) }
        }
        let savedRequests = graph.nodes.enumerated().map { index, node in
            plan.add(count: node.operation.savedCount(batch: batch), lifetime: index...lifetimes.backward(index))
        }
        let (offsets, total) = plan.place()
        memory = FloatBuffer(count: total)
        workspace = FloatBuffer(count: graph.nodes.map { $0.operation.workspaceCount(batch: batch) }.max() ?? 0)
        values = valueRequests.map { memory.pointer + offsets[$0] }
        gradients = gradientRequests.map { $0.map { memory.pointer + offsets[$0] } }
        saved = savedRequests.map { memory.pointer + offsets[$0] }
    }

    /// The floats this plan holds.
    public var floatCount: Int { memory.count + workspace.count }

    /// Runs the network on `inputs`, each `[batch, H, W, C]`; returns the outputs, and leaves what
    /// ``backward(_:parameters:accumulating:)`` needs.
    ///
    /// Moves running statistics in `parameters`.
    public func forward(_ inputs: [[Float]], parameters: inout Parameters) -> [[Float]] {
        precondition(inputs.count == graph.inputs.count, "\(inputs.count) inputs of \(graph.inputs.count)")
        for (index, input) in zip(graph.inputs, inputs) {
            precondition(input.count == batch * graph.shapes[index].count, "input of \(input.count) numbers")
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

    /// Adds ∂loss/∂parameters to `gradient` for ∂loss/∂outputs, after a forward pass; nil for an output
    /// that the loss does not use.
    public func backward(_ outputGradients: [[Float]?], parameters: Parameters, accumulating gradient: inout [Float]) {
        precondition(outputGradients.count == graph.outputs.count, "one gradient for each output")
        precondition(gradient.count == parameters.values.count, "a gradient of another network")
        var isWritten = Array(repeating: false, count: graph.shapes.count)
        for (index, values) in zip(graph.outputs, outputGradients) {
            guard let values, let target = gradients[index] else { continue }
            precondition(values.count == batch * graph.shapes[index].count, "gradient of \(values.count) numbers")
            for (place, value) in values.enumerated() { target[place] = value }
            isWritten[index] = true
        }
        parameters.values.withUnsafeBufferPointer { parameters in
            gradient.withUnsafeMutableBufferPointer { gradient in
                guard let parameters = parameters.baseAddress, let gradient = gradient.baseAddress else { return }
                for index in graph.nodes.indices.reversed() {
                    backward(index, &isWritten, parameters, gradient)
                }
            }
        }
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
                first: values[node.inputs[0]],
                second: node.inputs.count > 1 ? Floats(values[node.inputs[1]]) : nil,
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

/// When each value and each gradient of a training step is alive; forward steps count from 0, the
/// backward step of node i is `2 n - i`.
private struct TrainingLifetimes {
    private let count: Int
    private(set) var values: [ClosedRange<Int>] = []
    /// Nil where no gradient is needed: at the inputs, and before the first parameter.
    private(set) var gradients: [ClosedRange<Int>?] = []

    func backward(_ node: Int) -> Int { 2 * count - node }

    init(_ graph: Graph) {
        count = graph.nodes.count
        let end = 2 * count + 1
        var first = Array(repeating: 0, count: graph.shapes.count)
        var last = Array(repeating: 0, count: graph.shapes.count)
        var gradientFirst: [Int?] = Array(repeating: nil, count: graph.shapes.count)
        var gradientLast = Array(repeating: end, count: graph.shapes.count)
        var needsGradient = Array(repeating: false, count: graph.shapes.count)
        for (index, node) in graph.nodes.enumerated() {
            let backward = 2 * count - index
            first[node.output] = index
            last[node.output] = max(index, node.operation.readsOutput ? backward : index)
            for input in node.inputs {
                last[input] = max(last[input], node.operation.readsInputs ? backward : index)
            }
            needsGradient[node.output] =
                !(node.operation is AffineOperation) || node.inputs.contains { needsGradient[$0] }
            gradientLast[node.output] = backward
            // Consumers come in order, so the last one seen is the first to write.
            for input in node.inputs { gradientFirst[input] = backward }
        }
        for output in graph.outputs {
            last[output] = max(last[output], count)
            gradientFirst[output] = min(gradientFirst[output] ?? count, count)
        }
        values = graph.shapes.indices.map { first[$0]...max(first[$0], last[$0]) }
        gradients = graph.shapes.indices.map { index in
            guard needsGradient[index], let from = gradientFirst[index] else { return nil }
            return from...max(from, gradientLast[index])
        }
    }
}
