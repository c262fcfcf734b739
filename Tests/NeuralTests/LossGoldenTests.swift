import ModelFile
import Neural
import TestSupport
import Testing

/// Compares losses and optimizers with the reference implementation.
@Suite struct LossGoldenTests {
    @Test(
        "The contrastive loss and its gradient match the reference",
        arguments: [("contrastive-b2-k2", 4, 8), ("contrastive-b6-k4", 24, 16)],
        [ContrastiveLoss.Mask.shiftedRemoved, .naive]
    )
    func contrastive(_ golden: (name: String, group: Int, size: Int), mask: ContrastiveLoss.Mask) throws {
        let file = try Golden.load(golden.name)
        let loss = ContrastiveLoss(temperature: 0.5, mask: mask)
        let result = loss(try file.floats("z"), size: golden.size, group: golden.group)
        #expect(relativeError([result.loss], try file.floats("\(mask.rawValue).loss")) < Tolerance.formula)
        #expect(relativeError(result.gradient, try file.floats("\(mask.rawValue).grad_z")) < Tolerance.forward)
    }

    /// Uses the settings of the reference's steps.
    @Test(
        "Five steps of each optimizer match the reference",
        arguments: [
            ("adam", OptimizerRule.adam(beta1: 0.9, beta2: 0.99, weightDecay: 0), Float(8e-5)),
            ("adamw", .adam(beta1: 0.9, beta2: 0.999, weightDecay: 0.05), 1e-3),
            ("sgd", .sgd(momentum: 0.9, weightDecay: 1e-6), 0.1),
            ("lars", .lars(momentum: 0.9, weightDecay: 1e-6, trust: 0.001), 0.1),
        ]
    )
    func optimizer(_ name: String, rule: OptimizerRule, rate: Float) throws {
        let file = try Golden.load("optimizers")
        var graph = Graph()
        graph.output(graph.dense(graph.input(PlaneShape(vector: 4)), "p", outputs: 5))
        // The bias has no counterpart in the reference; its gradient is zero.
        var parameters = Parameters(layout: graph.parameters)
        let start = try file.floats("p0", shape: [5, 4])
        parameters["p.weight"] = start
        let gradients = try file.floats("grads", shape: [5, 5, 4])
        var optimizer = Optimizer(rule, count: parameters.values.count)
        for step in 0..<5 {
            let gradient = Array(gradients[step * 20..<(step + 1) * 20]) + [Float](repeating: 0, count: 5)
            optimizer.step(&parameters, gradient: gradient, rate: rate, workers: ThreadPool(count: 2))
        }
        let expected = try file.floats(name, shape: [5, 4])
        let weight = Array(parameters.values[..<20])
        // Compares the changes, not the values: near 1 their precision is limited to 1e-7 per step.
        let moved = zip(weight, start).map { $0 - $1 }
        let expectedMoved = zip(expected, start).map { $0 - $1 }
        #expect(relativeError(moved, expectedMoved) < 1e-3)
        #expect(relativeError(weight, expected) < Tolerance.formula)
    }

    @Test("Cross-entropy is -log softmax, and its gradient is softmax minus the label")
    func crossEntropy() {
        let (loss, gradient) = CrossEntropy.loss([0, 0, 1, 3], classes: 2, labels: [0, 1])
        // -log(1/2) and -log(e³/(e + e³)), halved
        #expect(abs(loss - (0.693_147_2 + 0.126_928) / 2) < 1e-6)
        #expect(relativeError(gradient, [-0.25, 0.25, 0.059_601_5, -0.059_601_5]) < 1e-5)
    }

    @Test("L1 is the mean absolute difference, and its gradient is the sign divided by the count")
    func l1() {
        let (loss, gradient) = L1Loss.loss([1, 2, 3, 4], target: [1, 0, 4, 4])
        #expect(loss == 0.75 && gradient == [0, 0.25, -0.25, 0])
    }
}
