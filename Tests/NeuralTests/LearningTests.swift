import Neural
import Testing

/// Complete training steps: the loss of a network decreases as expected.
@Suite struct LearningTests {
    private func network() -> Graph {
        var graph = Graph()
        var x = graph.input(PlaneShape(height: 6, width: 6, channels: 2))
        x = graph.batchNorm(graph.convolution(x, "a", outputs: 8, kernel: 3, padding: 1, bias: false), "b", relu: true)
        x = graph.activation(graph.convolution(x, "c", outputs: 8, kernel: 3, stride: 2, padding: 1), .silu)
        graph.output(graph.dense(graph.averagePool(x), "d", outputs: 3))
        return graph
    }

    private func losses(steps: Int, threads: Int) -> [Float] {
        let graph = network()
        var generator = SplitMix64(seed: 3)
        var parameters = Parameters(layout: graph.parameters, using: &generator)
        let workers = ThreadPool(count: threads)
        let plan = TrainingPlan(graph, batch: 6, workers: workers)
        let x = Normal.array(count: 6 * 72, using: &generator)
        let labels = [0, 1, 2, 0, 1, 2]
        var optimizer = Optimizer(.adam(beta1: 0.9, beta2: 0.999, weightDecay: 0), count: parameters.values.count)
        return (0..<steps).map { _ in
            let output = plan.forward([x], parameters: &parameters)[0]
            let (loss, slope) = CrossEntropy.loss(output, classes: 3, labels: labels)
            var gradient = [Float](repeating: 0, count: parameters.values.count)
            plan.backward([slope], parameters: parameters, accumulating: &gradient)
            optimizer.step(&parameters, gradient: gradient, rate: 0.02, workers: workers)
            return loss
        }
    }

    @Test("A network overfits a single batch")
    func overfits() {
        let losses = losses(steps: 150, threads: 2)
        #expect(losses[0] > 0.9 && (losses.last ?? 1) < 0.02)
    }

    @Test("Ten steps give the same losses on any number of threads", arguments: [2, 3, 8])
    func threads(_ count: Int) { #expect(losses(steps: 10, threads: count) == losses(steps: 10, threads: 1)) }
}
