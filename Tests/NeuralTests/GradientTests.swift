import Neural
import Testing

/// Compares the gradient of every parameter of small networks with central differences, at odd sizes.
///
/// Each network puts a convolution before the layer under test, so the layer's input gradient is checked through
/// the convolution's weights.
@Suite struct GradientTests {
    struct Network: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Smaller for networks with kinks, which a difference must not straddle.
        let step: Float
        let build: @Sendable (inout Graph, Value) -> Value

        init(_ name: String, step: Float = 4e-3, _ build: @escaping @Sendable (inout Graph, Value) -> Value) {
            testDescription = name
            self.step = step
            self.build = build
        }
    }

    static let networks = [
        Network("lowered convolution") { $0.convolution($1, "x", outputs: 5, kernel: 3, stride: 2, padding: 1) },
        Network("convolution in the Winograd domain") { $0.convolution($1, "x", outputs: 9, kernel: 3, padding: 1) },
        Network("standardized convolution") {
            $0.convolution($1, "x", outputs: 9, kernel: 3, padding: 1, isStandardized: true)
        },
        Network("group norm") { graph, x in graph.groupNorm(x, "x", groups: 4) },
        Network("modulated group norm") { graph, x in
            let modulation = graph.dense(graph.averagePool(x), "m", outputs: 24)
            return graph.groupNorm(x, "x", groups: 4, modulation: modulation)
        },
        Network("batch norm") { graph, x in graph.batchNorm(x, "x", relu: false) },
        Network("channel layer norm") { graph, x in graph.channelLayerNorm(x, "x") },
        Network("linear attention") { graph, x in
            graph.linearAttention(graph.convolution(x, "qkv", outputs: 96), heads: 2)
        },
        Network("full attention") { graph, x in
            graph.fullAttention(graph.convolution(x, "qkv", outputs: 96), heads: 2)
        },
        Network("SiLU") { $0.activation($1, .silu) },
        Network("GELU") { $0.activation($1, .gelu) },
        Network("concatenation and sum") { graph, x in
            let y = graph.convolution(x, "y", outputs: 12)
            return graph.concatenate(graph.add(x, y), x)
        },
        Network("upsampling") { graph, x in graph.upsample(x) },
        Network("average pooling") { graph, x in graph.averagePool(x) },
        Network("max pooling", step: 2e-4) { graph, x in graph.maxPool(x) },
        Network("sum with ReLU", step: 2e-4) { graph, x in
            let y = graph.convolution(x, "y", outputs: 12)
            return graph.add(x, y, relu: true)
        },
    ]

    /// Error of central differences in single precision: about eps/step of the loss, plus the third-derivative term.
    static let tolerance: Float = 1e-2

    @Test("The backward pass is the derivative of the forward pass", arguments: networks, [1, 2])
    func gradient(_ network: Network, threads: Int) {
        let batch = 3
        var graph = Graph()
        let input = graph.input(PlaneShape(height: 5, width: 7, channels: 3))
        let stem = graph.convolution(input, "stem", outputs: 12, kernel: 3, padding: 1)
        let output = network.build(&graph, stem)
        graph.output(output)
        var generator = SplitMix64(seed: 7)
        var parameters = Parameters(layout: graph.parameters, using: &generator)
        let x = Normal.array(count: batch * 5 * 7 * 3, using: &generator)
        let plan = TrainingPlan(graph, batch: batch, workers: ThreadPool(count: threads))
        let direction = Normal.array(count: batch * graph.shape(of: output).count, using: &generator)
        func loss(_ parameters: Parameters) -> Double {
            var copy = parameters
            let y = plan.forward([x], parameters: &copy)[0]
            return zip(y, direction).reduce(0) { $0 + Double($1.0) * Double($1.1) }
        }
        _ = plan.forward([x], parameters: &parameters)
        var gradient = [Float](repeating: 0, count: parameters.values.count)
        plan.backward([direction], parameters: parameters, accumulating: &gradient)
        let scale = gradient.reduce(0) { max($0, abs($1)) }
        #expect(scale > 0)
        for parameter in graph.parameters where parameter.isTrainable {
            // A few elements of each parameter.
            for index in Set((0..<6).map { _ in Int.random(in: parameter.range, using: &generator) }) {
                let step = network.step
                var (up, down) = (parameters, parameters)
                up.values[index] += step
                down.values[index] -= step
                let difference = Float((loss(up) - loss(down)) / Double(up.values[index] - down.values[index]))
                #expect(
                    abs(difference - gradient[index]) < Self.tolerance * scale,
                    "\(parameter.name)[\(index - parameter.offset)]: \(gradient[index]), by differences \(difference)"
                )
            }
        }
    }

    @Test("Gradients accumulate over calls")
    func accumulation() {
        var graph = Graph()
        graph.output(graph.dense(graph.input(PlaneShape(vector: 3)), "x", outputs: 2))
        var generator = SplitMix64(seed: 1)
        var parameters = Parameters(layout: graph.parameters, using: &generator)
        let plan = TrainingPlan(graph, batch: 1, workers: ThreadPool(count: 1))
        _ = plan.forward([[1, 2, 3]], parameters: &parameters)
        var gradient = [Float](repeating: 0, count: parameters.values.count)
        plan.backward([[1, 0]], parameters: parameters, accumulating: &gradient)
        plan.backward([[1, 0]], parameters: parameters, accumulating: &gradient)
        #expect(gradient == [2, 4, 6, 0, 0, 0, 2, 0])
    }
}
