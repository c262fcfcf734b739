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
        let consumers = graph.consumers
        let outputs = Set(graph.outputs)
        var producers = [Int](repeating: -1, count: graph.shapes.count)
        for (index, node) in graph.nodes.enumerated() { producers[node.output] = index }
        var taken: Set<Int> = []
        var result: [FusedNode] = []

        /// The only node that reads `value`; nil if there are several, or if `value` is an output.
        func soleConsumer(of value: Int) -> Int? {
            consumers[value].count == 1 && !outputs.contains(value) ? consumers[value][0] : nil
        }

        for (index, node) in graph.nodes.enumerated() where !taken.contains(index) {
            var fused = FusedNode(node: node, output: node.output)
            defer { result.append(fused) }
            guard node.operation is ConvolutionOperation else {
                precondition(!(node.operation is BatchNormOperation), "batch normalization must follow a convolution")
                continue
            }
            if let next = soleConsumer(of: fused.output),
                let norm = graph.nodes[next].operation as? BatchNormOperation
            {
                fused.norm = norm
                fused.relu = norm.norm.relu
                fused.output = graph.nodes[next].output
                taken.insert(next)
            }
            guard !fused.relu, let next = soleConsumer(of: fused.output),
                let add = graph.nodes[next].operation as? AddOperation
            else { continue }
            let other = graph.nodes[next].inputs.first { $0 != fused.output }
            // The other summand must be computed before this convolution runs.
            guard let other, producers[other] < index, !taken.contains(next) else { continue }
            fused.residual = other
            fused.relu = add.relu
            fused.output = graph.nodes[next].output
            taken.insert(next)
        }
        return result
    }
}
