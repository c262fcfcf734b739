import Kernels
import Testing

/// Weights kept between calls give bit-identical results to weights packed for each call.
@Suite struct KeptWeightsTests {
    /// A convolution with its own weights.
    private struct Layer {
        let test: ConvolutionTests.Case
        let weights: FloatBuffer
        let input: FloatBuffer

        init(_ test: ConvolutionTests.Case, seed: Int) {
            self.test = test
            weights = Self.numbers(test.shape.weightCount, seed)
            input = Self.numbers(test.batch * test.shape.inputPixels * test.shape.inputChannels, seed + 1)
        }

        private static func numbers(_ count: Int, _ seed: Int) -> FloatBuffer {
            FloatBuffer((0..<count).map { Float(($0 * 7919 + seed * 104_729) % 1009) / 1009 - 0.5 })
        }

        private var output: FloatBuffer {
            FloatBuffer(count: test.batch * test.shape.outputPixels * test.shape.outputChannels)
        }

        func keep(_ workers: ThreadPool) -> KeptWeights {
            KeptWeights(weights.pointer, test.shape, test.algorithm, workers)
        }

        func run(_ kept: KeptWeights, _ workers: ThreadPool) -> [Float] {
            let output = output
            kept.forward(
                batch: test.batch,
                input: input.pointer,
                epilogue: Epilogue(),
                output: output.pointer,
                workers
            )
            return output.array
        }

        /// The result with weights packed for this call only.
        func expected(_ workers: ThreadPool) -> [Float] {
            let packed = FloatBuffer(count: Convolution.packedCount(test.shape, test.algorithm))
            Convolution.pack(weights.pointer, test.shape, test.algorithm, into: packed.pointer, workers)
            let output = output
            Convolution.forward(
                test.shape,
                test.algorithm,
                batch: test.batch,
                input: input.pointer,
                packed: packed.pointer,
                epilogue: Epilogue(),
                output: output.pointer,
                workers
            )
            return output.array
        }
    }

    /// The small layers are always packed; the added ones are not.
    static let cases =
        ConvolutionTests.cases + [
            ConvolutionTests.Case(.winograd4, 2, (9, 13, 35, 17), (3, 1, 1)),
            ConvolutionTests.Case(.winograd4, 40, (4, 4, 40, 48), (3, 1, 1)),
            ConvolutionTests.Case(.winogradStrided, 3, (9, 18, 33, 6), (3, 2, 1)),
            ConvolutionTests.Case(.winograd2, 2, (9, 13, 35, 60), (3, 1, 1)),
        ]

    @Test("Kept weights give the same results as packed ones, on the first call and the next", arguments: cases)
    func sameResults(_ test: ConvolutionTests.Case) {
        let workers = ThreadPool(count: 2)
        let layer = Layer(test, seed: 1)
        let expected = layer.expected(workers)
        let kept = layer.keep(workers)
        #expect(layer.run(kept, workers) == expected)
        #expect(layer.run(kept, workers) == expected)
    }

    @Test("Weights evicted from the cache are packed again")
    func turns() {
        // Room for two of the three layers at a time; places are reused in a circle.
        let workers = ThreadPool(count: 2, isWide: true, packedCapacity: 90_000)
        let test = ConvolutionTests.Case(.winograd4, 2, (9, 13, 35, 17), (3, 1, 1))
        let layers = (0..<3).map { Layer(test, seed: 10 * $0) }
        let expected = layers.map { $0.expected(workers) }
        let kept = layers.map { $0.keep(workers) }
        for index in [0, 1, 0, 2, 1, 0, 0, 2, 2, 1, 2, 0] {
            // Computed outside the macro, which would print all the numbers.
            let isSame = layers[index].run(kept[index], workers) == expected[index]
            #expect(isSame, "layer \(index)")
        }
    }

    @Test("Weights too large to be packed repeatedly stay packed")
    func large() {
        let workers = ThreadPool(count: 2, isWide: true, packedCapacity: 0)
        let layer = Layer(ConvolutionTests.Case(.winograd4, 1, (4, 4, 160, 160), (3, 1, 1)), seed: 5)
        #expect(layer.run(layer.keep(workers), workers) == layer.expected(workers))
    }
}
