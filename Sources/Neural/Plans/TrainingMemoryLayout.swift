/// The layout of the memory block of a training step, as offsets in floats.
struct TrainingMemoryLayout {
    /// The offset of each value of the forward pass.
    let values: [Int]
    /// The offset of each value that the backward pass recomputes; nil for the others.
    let repeated: [Int?]
    /// The offset of each gradient; nil if the gradient is not needed.
    let gradients: [Int?]
    /// The offset of the data that each operation saves for its backward pass.
    let saved: [Int]
    /// The size of the block in floats.
    let total: Int

    /// Plans the layout for `batch` images; with `repeating`, values that are cheap to recompute are not kept.
    init(_ graph: Graph, batch: Int, repeating: Bool) {
        let lifetimes = TrainingLifetimes(graph, repeating: repeating)
        var plan = MemoryPlan()
        func request(_ index: Int, _ lifetime: ClosedRange<Int>) -> Int {
            plan.add(count: batch * graph.shapes[index].count, lifetime: lifetime)
        }
        let values = graph.shapes.indices.map { request($0, lifetimes.values[$0]) }
        let repeated = graph.shapes.indices.map { index in lifetimes.repeated[index].map { request(index, $0) } }
        let gradients = graph.shapes.indices.map { index in lifetimes.gradients[index].map { request(index, $0) } }
        let saved = graph.nodes.enumerated().map { index, node in
            plan.add(count: node.operation.savedCount(batch: batch), lifetime: index...lifetimes.backward(index))
        }
        let (offsets, total) = plan.place()
        self.values = values.map { offsets[$0] }
        self.repeated = repeated.map { $0.map { offsets[$0] } }
        self.gradients = gradients.map { $0.map { offsets[$0] } }
        self.saved = saved.map { offsets[$0] }
        self.total = total
    }
}

/// The lifetimes of the values and gradients of a training step.
///
/// Forward steps count from 0; the backward step of node i is `2 n - i`.
private struct TrainingLifetimes {
    private let count: Int
    private(set) var values: [ClosedRange<Int>] = []
    /// The lifetime of a recomputed value; nil for values that are not recomputed.
    private(set) var repeated: [ClosedRange<Int>?] = []
    /// The lifetime of a gradient; nil if it is not needed: for the inputs and before the first parameter.
    private(set) var gradients: [ClosedRange<Int>?] = []

    func backward(_ node: Int) -> Int { 2 * count - node }

    init(_ graph: Graph, repeating: Bool) {
        count = graph.nodes.count
        let end = 2 * count + 1
        var first = Array(repeating: 0, count: graph.shapes.count)
        var last = Array(repeating: 0, count: graph.shapes.count)
        var gradientFirst: [Int?] = Array(repeating: nil, count: graph.shapes.count)
        var gradientLast = Array(repeating: end, count: graph.shapes.count)
        var lastForward = Array(repeating: 0, count: graph.shapes.count)
        var isRepeatable = Array(repeating: false, count: graph.shapes.count)
        var needsGradient = Array(repeating: false, count: graph.shapes.count)
        for (index, node) in graph.nodes.enumerated() {
            let backward = 2 * count - index
            first[node.output] = index
            last[node.output] = max(index, node.operation.readsOutput ? backward : index)
            isRepeatable[node.output] = repeating && node.operation.isRepeatable
            for input in node.inputs {
                lastForward[input] = index
                last[input] = max(last[input], node.operation.readsInputs ? backward : index)
            }
            needsGradient[node.output] =
                node.operation.outputNeedsGradient || node.inputs.contains { needsGradient[$0] }
            gradientLast[node.output] = backward
            // Consumers are visited in order, so the last one is the first to write the gradient.
            for input in node.inputs { gradientFirst[input] = backward }
        }
        for output in graph.outputs {
            isRepeatable[output] = false
            last[output] = max(last[output], count)
            gradientFirst[output] = min(gradientFirst[output] ?? count, count)
        }
        // The backward pass visits consumers in reverse order, so the last one is the first to read the value again.
        repeated = graph.shapes.indices.map { index in
            isRepeatable[index] && last[index] > count ? backward(lastForward[index])...last[index] : nil
        }
        values = graph.shapes.indices.map { index in
            let end = repeated[index] == nil ? last[index] : lastForward[index]
            return first[index]...max(first[index], end)
        }
        gradients = graph.shapes.indices.map { index in
            guard needsGradient[index], let from = gradientFirst[index] else { return nil }
            return from...max(from, gradientLast[index])
        }
    }
}
