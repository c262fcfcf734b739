import Kernels

/// A node of a graph together with the nodes behind it that it takes in for inference.
struct FusedNode {
    /// The node whose work is done.
    let node: Graph.Node
    /// The batch normalisation folded into its weights.
    var norm: BatchNormOperation?
    /// The value added to its result.
    var residual: Int?
    /// Whether negative results become zero.
    var relu = false
    /// The value it computes: that of the last node taken in.
    var output: Int

    /// The nodes of `graph` in order, each convolution joined by what it can take in.
    static func fuse(_ graph: Graph) -> [FusedNode] {
        let consumers = graph.consumers
        let outputs = Set(graph.outputs)
        var producers = [Int](repeating: -1, count: graph.shapes.count)
        for (index, node) in graph.nodes.enumerated() { producers[node.output] = index }
        var taken: Set<Int> = []
        var result: [FusedNode] = []

        /// The one node that reads `value`, if nothing else needs it.
        func soleConsumer(of value: Int) -> Int? {
            consumers[value].count == 1 && !outputs.contains(value) ? consumers[value][0] : nil
        }

        for (index, node) in graph.nodes.enumerated() where !taken.contains(index) {
            var fused = FusedNode(node: node, output: node.output)
            defer { result.append(fused) }
            guard node.operation is ConvolutionOperation else {
                precondition(!(node.operation is BatchNormOperation), "batch normalisation follows a convolution")
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
            // The other summand must be there before this convolution runs.
            guard let other, producers[other] < index, !taken.contains(next) else { continue }
            fused.residual = other
            fused.relu = add.relu
            fused.output = graph.nodes[next].output
            taken.insert(next)
        }
        return result
    }
}
