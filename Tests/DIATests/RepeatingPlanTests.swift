import DIA
import ModelFile
import Neural
import Testing

/// A plan that recomputes the outputs of norms uses less memory and gives the same gradient.
@Suite struct RepeatingPlanTests {
    @Test("Recomputation gives a bit-identical gradient in less memory", arguments: [ResNet18.Stem.cifar, .imagenet])
    func sameGradient(_ stem: ResNet18.Stem) {
        let network = ResNet18(stem: stem, width: 8, channels: 1, height: 32, columns: 32, projection: 16)
        let graph = network.graph()
        let batch = 6
        var generator = SplitMix64(seed: 3)
        let start = Parameters(layout: graph.parameters, using: &generator)
        let images = Normal.array(count: batch * 32 * 32, using: &generator)
        let slopes = [16, 4].map { Normal.array(count: batch * $0, using: &generator) }
        func step(repeating: Bool) -> (gradient: [Float], parameters: [Float], floats: Int) {
            let plan = TrainingPlan(graph, batch: batch, repeating: repeating, workers: ThreadPool(count: 2))
            var parameters = start
            var gradient = [Float](repeating: 0, count: parameters.values.count)
            _ = plan.forward([images], parameters: &parameters)
            plan.backward([nil, slopes[0], slopes[1]], parameters: parameters, accumulating: &gradient)
            return (gradient, parameters.values, plan.floatCount)
        }
        let (kept, repeated) = (step(repeating: false), step(repeating: true))
        #expect(kept.gradient == repeated.gradient)
        #expect(kept.parameters == repeated.parameters)
        #expect(Double(repeated.floats) < 0.9 * Double(kept.floats), "\(repeated.floats) of \(kept.floats)")
    }
}
