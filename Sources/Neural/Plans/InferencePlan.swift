public import Kernels

/// A network prepared for inference: weights are folded and packed, layers are fused, and all buffers are planned.
///
/// A convolution is fused with the batch normalization after it, weight standardization, the bias, the addition of
/// a value computed earlier, and ReLU. Values are stored in the arena of the thread pool, which all plans on that
/// pool share. Not `Sendable`: one owner runs it.
public final class InferencePlan {
    /// The number of images that run through the network at a time; larger batches are split.
    public let chunk: Int
    private let graph: Graph
    private let workers: ThreadPool
    private let steps: [Step]
    private let arenaCount: Int
    /// The offset of each value in the arena.
    private let places: [Int]

    /// The operation of a step and its prepared weights.
    private enum Work {
        case convolution(PreparedConvolution, residual: Int?)
        case operation(any Operation, second: Int?, savedPlace: Int, parameters: ParameterRange)
    }

    private struct Step {
        let work: Work
        let input: Int
        let output: Int
    }

    /// A copy of the parameters of one operation, without those of the rest of the network.
    private struct ParameterRange {
        let first: Int
        let values: FloatBuffer

        init(_ range: Range<Int>, of all: Floats) {
            first = range.lowerBound
            values = FloatBuffer(count: range.count)
            values.pointer.update(from: all + first, count: range.count)
        }

        /// A base pointer such that the operation's offsets address the copy.
        var base: MutableFloats { values.pointer - first }
    }

    /// The range of the number of floats that the values of a chunk may take, for any network.
    private static let valueRange = 4_000_000...10_000_000
    /// The number of tiles of the smallest plane at which the products of a chunk run at full speed.
    private static let tileAim = 40

    /// Chooses the number of images per chunk: enough for efficient products on the smallest plane, as long as the
    /// values take about as much memory as the weights.
    ///
    /// With more images, the values do not stay in the last-level cache from layer to layer. With fewer images, the
    /// weights are read too often.
    private static func chunk(_ graph: Graph, floatsPerImage: Int) -> Int {
        let smallest = graph.nodes.reduce(tileAim) { tiles, node in
            guard case .convolution(let convolution) = node.operation.role else { return tiles }
            let shape = convolution.shape
            guard shape.kernel > 1 else { return tiles }
            return min(tiles, (shape.outputHeight + 3) / 4 * ((shape.outputWidth + 3) / 4))
        }
        let weights = graph.parameters.last.map { $0.offset + $0.count } ?? 0
        let room = min(max(weights, valueRange.lowerBound), valueRange.upperBound)
        return max(4, min((tileAim + smallest - 1) / smallest, room / max(1, floatsPerImage)))
    }

    /// Prepares `graph` with the values of `parameters`.
    ///
    /// `chunk` is the number of images that run at a time; the default depends on the planes of the network.
    public init(_ graph: Graph, parameters: Parameters, chunk: Int? = nil, workers: ThreadPool) {
        self.graph = graph
        self.workers = workers
        let fused = FusedNode.fuse(graph)
        let layout = Layout(fused, graph)
        let size = chunk ?? Self.chunk(graph, floatsPerImage: layout.place(1).total)
        precondition(size > 0, "invalid chunk size: \(size)")
        self.chunk = size
        let placed = layout.place(size)
        places = placed.values
        arenaCount = placed.total
        steps = parameters.values.withUnsafeBufferPointer { buffer in
            guard let stored = buffer.baseAddress else { return [] }
            return fused.enumerated().map { index, fused in
                let node = fused.node
                let work: Work =
                    if case .convolution(let convolution) = node.operation.role {
                        .convolution(
                            PreparedConvolution(
                                convolution,
                                norm: fused.norm,
                                relu: fused.relu,
                                parameters: stored,
                                batch: size,
                                workers: workers
                            ),
                            residual: fused.residual
                        )
                    } else {
                        .operation(
                            node.operation,
                            second: node.inputs.count > 1 ? node.inputs[1] : nil,
                            savedPlace: placed.saved[index],
                            parameters: ParameterRange(node.operation.parameterRange, of: stored)
                        )
                    }
                return Step(work: work, input: node.inputs[0], output: fused.output)
            }
        }
        workers.reservePackedWeights(
            steps.reduce(0) { sum, step in
                guard case .convolution(let convolution, _) = step.work else { return sum }
                return sum + convolution.weights.floatsWhenPacked
            }
        )
    }

    /// The number of floats in the arena that this plan needs.
    public var floatCount: Int { arenaCount }

    /// Runs the network on `batch` images.
    ///
    /// Each input is `[batch, H, W, C]`, and so is each element of `outputs`, which must be at least that long.
    public func run(_ inputs: [[Float]], batch: Int, into outputs: inout [[Float]]) {
        precondition(inputs.count == graph.inputs.count, "\(inputs.count) inputs, expected \(graph.inputs.count)")
        precondition(outputs.count == graph.outputs.count, "\(outputs.count) outputs, expected \(graph.outputs.count)")
        for (index, input) in zip(graph.inputs, inputs) {
            precondition(input.count >= batch * graph.shapes[index].count, "input too short: \(input.count) numbers")
        }
        for (index, output) in zip(graph.outputs, outputs) {
            precondition(output.count >= batch * graph.shapes[index].count, "output too short: \(output.count)")
        }
        let arena = workers.arena(arenaCount)
        // Split evenly, because products of a small remainder are inefficient.
        let parts = (batch + chunk - 1) / chunk
        for part in 0..<parts {
            let first = part * batch / parts
            let count = (part + 1) * batch / parts - first
            for (position, index) in graph.inputs.enumerated() {
                let size = graph.shapes[index].count
                inputs[position].withUnsafeBufferPointer { source in
                    guard let base = source.baseAddress else { return }
                    (arena + places[index]).update(from: base + first * size, count: count * size)
                }
            }
            for step in steps { run(step, count, arena) }
            for (position, index) in graph.outputs.enumerated() {
                let size = graph.shapes[index].count
                outputs[position].withUnsafeMutableBufferPointer { target in
                    guard let base = target.baseAddress else { return }
                    (base + first * size).update(from: arena + places[index], count: count * size)
                }
            }
        }
    }

    /// Runs the network on `batch` images and returns the outputs.
    public func run(_ inputs: [[Float]], batch: Int) -> [[Float]] {
        var outputs = graph.outputs.map { [Float](repeating: 0, count: batch * graph.shapes[$0].count) }
        run(inputs, batch: batch, into: &outputs)
        return outputs
    }

    private func run(_ step: Step, _ batch: Int, _ arena: MutableFloats) {
        let input = Floats(arena + places[step.input])
        let output = arena + places[step.output]
        switch step.work {
        case .convolution(let convolution, let residual):
            let residual = residual.map { Floats(arena + places[$0]) }
            convolution.run(batch: batch, input: input, residual: residual, output: output, workers)
        case .operation(let operation, let second, let savedPlace, let parameters):
            operation.forward(
                ForwardPass(
                    batch: batch,
                    first: input,
                    second: second.map { Floats(arena + places[$0]) },
                    output: output,
                    saved: arena + savedPlace,
                    workspace: arena + savedPlace,
                    parameters: parameters.base,
                    workers: workers
                )
            )
        }
    }
}

extension InferencePlan {
    /// The lifetimes of the values, from which the offsets in the arena follow for any number of images.
    private struct Layout {
        let fused: [FusedNode]
        let graph: Graph
        let lifetimes: [ClosedRange<Int>?]

        init(_ fused: [FusedNode], _ graph: Graph) {
            self.fused = fused
            self.graph = graph
            lifetimes = Self.lifetimes(fused, graph)
        }

        /// Returns the offsets of the values and of what the operations save, and the total number of floats.
        func place(_ images: Int) -> (values: [Int], saved: [Int], total: Int) {
            var plan = MemoryPlan()
            let requests = graph.shapes.indices.map { index in
                lifetimes[index].map { plan.add(count: images * graph.shapes[index].count, lifetime: $0) }
            }
            let savedRequests = fused.enumerated().map { index, node in
                plan.add(count: node.node.operation.savedCount(batch: images), lifetime: index...index)
            }
            let (offsets, total) = plan.place()
            return (requests.map { $0.map { offsets[$0] } ?? 0 }, savedRequests.map { offsets[$0] }, total)
        }

        /// The lifetime of each value; nil for a value that fusion removed.
        private static func lifetimes(_ fused: [FusedNode], _ graph: Graph) -> [ClosedRange<Int>?] {
            var result = [ClosedRange<Int>?](repeating: nil, count: graph.shapes.count)
            func use(_ value: Int, at step: Int) {
                result[value] =
                    min(result[value]?.lowerBound ?? step, step)...max(result[value]?.upperBound ?? step, step)
            }
            for input in graph.inputs { use(input, at: 0) }
            for (step, node) in fused.enumerated() {
                use(node.output, at: step)
                for input in node.node.inputs + (node.residual.map { [$0] } ?? []) { use(input, at: step) }
            }
            for output in graph.outputs { use(output, at: fused.count) }
            return result
        }
    }
}
