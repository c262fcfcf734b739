import Kernels

/// A node of a graph together with the nodes after it that are fused into it for inference.
struct FusedNode {
    /// The node that computes the result.
    let node: Graph.Node
    /// The batch normalization folded into its weights.
    var norm: BatchNormOperation?
    /// The value added to its result.
    var residual: Int?
    /// Whether a ReLU is applied to the result.
    var relu = false
    /// The value that it computes: the output of the last fused node.
    var output: Int

    /// Returns the nodes of `graph` in order, each convolution fused with the nodes that it can include.
    static func fuse(_ graph: Graph) -> [FusedNode] {
        let (consumers, producers) = (graph.consumers, graph.producers)
        let outputs = Set(graph.outputs)
        var taken: Set<Int> = []
        var result: [FusedNode] = []

        /// The only node that reads `value`; nil if there are several, or if `value` is an output.
        func soleConsumer(of value: Int) -> (index: Int, node: Graph.Node)? {
            guard consumers[value].count == 1, !outputs.contains(value) else { return nil }
            return (consumers[value][0], graph.nodes[consumers[value][0]])
        }

        /// Whether `value` is an input of the network or is computed before node `index`.
        func isComputed(_ value: Int, before index: Int) -> Bool { producers[value].map { $0 < index } ?? true }

        for (index, node) in graph.nodes.enumerated() where !taken.contains(index) {
            var fused = FusedNode(node: node, output: node.output)
            defer { result.append(fused) }
            switch node.operation.role {
            case .convolution: break
            case .batchNorm: preconditionFailure("batch normalization must follow a convolution")
            case .sum, .other: continue
            }
            if let next = soleConsumer(of: fused.output), case .batchNorm(let norm) = next.node.operation.role {
                fused.norm = norm
                fused.relu = norm.norm.relu
                fused.output = next.node.output
                taken.insert(next.index)
            }
            // The epilogue applies the ReLU after the addition.
            guard !fused.relu, let next = soleConsumer(of: fused.output), !taken.contains(next.index),
                case .sum(let relu) = next.node.operation.role
            else { continue }
            // The other summand must be computed before this convolution runs.
            guard let other = next.node.inputs.first(where: { $0 != fused.output }), isComputed(other, before: index)
            else { continue }
            fused.residual = other
            fused.relu = relu
            fused.output = next.node.output
            taken.insert(next.index)
        }
        return result
    }
}
