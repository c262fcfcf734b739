import Kernels
import Testing

/// Compares every algorithm with a plain convolution at odd sizes: the forward pass and both gradients.
@Suite struct ConvolutionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let batch: Int
        let shape: ConvolutionShape
        let algorithm: ConvolutionAlgorithm
        var testDescription: String { "\(algorithm), \(batch) images, \(shape)" }

        init(_ algorithm: ConvolutionAlgorithm, _ batch: Int, _ sizes: (Int, Int, Int, Int), _ kernel: (Int, Int, Int))
        {
            self.batch = batch
            self.algorithm = algorithm
            shape = ConvolutionShape(
                inputHeight: sizes.0,
                inputWidth: sizes.1,
                inputChannels: sizes.2,
                outputChannels: sizes.3,
                kernel: kernel.0,
                stride: kernel.1,
                padding: kernel.2
            )
        }
    }

    static let cases = [
        Case(.winograd4, 1, (4, 4, 8, 8), (3, 1, 1)), Case(.winograd4, 3, (7, 5, 3, 11), (3, 1, 1)),
        Case(.winograd4, 2, (9, 13, 17, 6), (3, 1, 1)), Case(.winograd4, 5, (1, 2, 9, 9), (3, 1, 1)),
        Case(.winograd4, 33, (8, 8, 5, 24), (3, 1, 1)), Case(.winograd4, 7, (33, 30, 8, 8), (3, 1, 1)),
        Case(.winograd2, 1, (4, 4, 8, 8), (3, 1, 1)), Case(.winograd2, 3, (7, 5, 3, 11), (3, 1, 1)),
        Case(.winograd2, 2, (9, 13, 17, 6), (3, 1, 1)), Case(.winograd2, 5, (1, 2, 9, 9), (3, 1, 1)),
        Case(.winograd2, 6, (21, 24, 5, 24), (3, 1, 1)),
        Case(.winogradStrided, 1, (8, 8, 8, 8), (3, 2, 1)), Case(.winogradStrided, 3, (7, 5, 3, 11), (3, 2, 1)),
        Case(.winogradStrided, 2, (9, 18, 17, 6), (3, 2, 1)), Case(.winogradStrided, 7, (31, 34, 8, 24), (3, 2, 1)),
        Case(.direct, 2, (7, 5, 3, 11), (3, 1, 1)), Case(.direct, 2, (7, 5, 3, 9), (3, 2, 1)),
        Case(.direct, 3, (8, 6, 5, 7), (4, 2, 1)), Case(.direct, 1, (9, 11, 2, 5), (7, 1, 3)),
        Case(.direct, 2, (15, 9, 3, 4), (7, 2, 3)), Case(.direct, 2, (6, 9, 13, 21), (2, 2, 1)),
        Case(.direct, 2, (6, 7, 9, 4), (1, 2, 0)), Case(.direct, 3, (4, 4, 20, 33), (3, 2, 1)),
        Case(.direct, 1, (30, 25, 3, 20), (5, 3, 2)), Case(.direct, 2, (16, 20, 12, 18), (4, 2, 1)),
        Case(.direct, 70, (1, 1, 10, 3), (1, 1, 0)),
    ]

    /// Allows for summing up to a thousand products in another order, and for Winograd's transforms.
    static let tolerance: Float = 2e-5

    private func random(_ count: Int, _ seed: UInt64) -> FloatBuffer {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        return FloatBuffer(
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23)
            }
        )
    }

    /// Calls `body` with the output, input and weight index of every product of the convolution.
    private func forEachProduct(_ test: Case, _ body: (_ output: Int, _ input: Int, _ weight: Int) -> Void) {
        let s = test.shape
        for image in 0..<test.batch {
            for y in 0..<s.outputHeight {
                for x in 0..<s.outputWidth {
                    for ky in 0..<s.kernel {
                        for kx in 0..<s.kernel {
                            let (row, column) = (y * s.stride - s.padding + ky, x * s.stride - s.padding + kx)
                            guard (0..<s.inputHeight).contains(row), (0..<s.inputWidth).contains(column) else {
                                continue
                            }
                            for out in 0..<s.outputChannels {
                                for channel in 0..<s.inputChannels {
                                    let output = ((image * s.outputHeight + y) * s.outputWidth + x) * s.outputChannels
                                    let input =
                                        ((image * s.inputHeight + row) * s.inputWidth + column) * s.inputChannels
                                    let weight = ((out * s.inputChannels + channel) * s.kernel + ky) * s.kernel + kx
                                    body(output + out, input + channel, weight)
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    private func expectEqual(_ actual: [Float], _ expected: [Double]) {
        let scale = expected.reduce(1e-9) { max($0, abs($1)) }
        let error = zip(actual, expected).reduce(0) { max($0, abs(Double($1.0) - $1.1)) } / scale
        #expect(actual.count == expected.count && error < Double(Self.tolerance))
    }

    @Test("The forward pass adds bias and residual and applies ReLU", arguments: cases, [false, true])
    func forward(_ test: Case, isWide: Bool) {
        let s = test.shape
        let workers = ThreadPool(count: isWide ? 3 : 1, isWide: isWide)
        let input = random(test.batch * s.inputPixels * s.inputChannels, 1)
        let weight = random(s.weightCount, 2)
        let bias = random(s.outputChannels, 3)
        let residual = random(test.batch * s.outputPixels * s.outputChannels, 4)
        let packed = FloatBuffer(count: Convolution.packedCount(s, test.algorithm))
        Convolution.pack(weight.pointer, s, test.algorithm, into: packed.pointer, workers)
        let output = FloatBuffer(count: residual.count)
        Convolution.forward(
            s,
            test.algorithm,
            batch: test.batch,
            input: input.pointer,
            packed: packed.pointer,
            epilogue: Epilogue(bias: Floats(bias.pointer), residual: Floats(residual.pointer), relu: true),
            output: output.pointer,
            workers
        )
        var expected = residual.array.enumerated().map { Double($1) + Double(bias.pointer[$0 % s.outputChannels]) }
        forEachProduct(test) { expected[$0] += Double(input.pointer[$1]) * Double(weight.pointer[$2]) }
        expectEqual(output.array, expected.map { max(0, $0) })
    }

    @Test("The gradients match a plain convolution", arguments: cases, [false, true])
    func gradients(_ test: Case, isWide: Bool) {
        let s = test.shape
        let workers = ThreadPool(count: isWide ? 3 : 1, isWide: isWide)
        let input = random(test.batch * s.inputPixels * s.inputChannels, 5)
        let weight = random(s.weightCount, 6)
        let upstream = random(test.batch * s.outputPixels * s.outputChannels, 7)
        let before = random(input.count, 8)
        let inputGradient = FloatBuffer(before.array)
        let packed = FloatBuffer(count: Convolution.gradientPackedCount(s, test.algorithm))
        Convolution.packForInputGradient(weight.pointer, s, test.algorithm, into: packed.pointer, workers)
        Convolution.inputGradient(
            s,
            test.algorithm,
            batch: test.batch,
            outputGradient: upstream.pointer,
            packed: packed.pointer,
            accumulate: true,
            inputGradient: inputGradient.pointer,
            workers
        )
        let weightGradient = FloatBuffer(weight.array)
        let workspace = FloatBuffer(
            count: Convolution.weightGradientWorkspace(s, test.algorithm, batch: test.batch)
        )
        Convolution.weightGradient(
            s,
            test.algorithm,
            batch: test.batch,
            input: input.pointer,
            outputGradient: upstream.pointer,
            weightGradient: weightGradient.pointer,
            workspace: workspace.pointer,
            workers
        )
        var expectedInput = before.array.map(Double.init)
        var expectedWeight = weight.array.map(Double.init)
        forEachProduct(test) { output, source, tap in
            expectedInput[source] += Double(upstream.pointer[output]) * Double(weight.pointer[tap])
            expectedWeight[tap] += Double(upstream.pointer[output]) * Double(input.pointer[source])
        }
        expectEqual(inputGradient.array, expectedInput)
        expectEqual(weightGradient.array, expectedWeight)
    }

    @Test(
        "Results are bit-identical for any number of threads and any vector width",
        arguments: ConvolutionAlgorithm.allCases
    )
    func threads(_ algorithm: ConvolutionAlgorithm) {
        let test = Case(algorithm, 9, (14, 14, 16, 24), (3, algorithm == .winogradStrided ? 2 : 1, 1))
        let s = test.shape
        let input = random(test.batch * s.inputPixels * s.inputChannels, 9)
        let weight = random(s.weightCount, 10)
        let results = [(1, false), (2, false), (3, true), (8, true)].map { count, isWide in
            let workers = ThreadPool(count: count, isWide: isWide)
            let packed = FloatBuffer(count: Convolution.packedCount(s, algorithm))
            Convolution.pack(weight.pointer, s, algorithm, into: packed.pointer, workers)
            let output = FloatBuffer(count: test.batch * s.outputPixels * s.outputChannels)
            Convolution.forward(
                s,
                algorithm,
                batch: test.batch,
                input: input.pointer,
                packed: packed.pointer,
                epilogue: Epilogue(),
                output: output.pointer,
                workers
            )
            return output.array
        }
        #expect(results.allSatisfy { $0 == results[0] })
    }
}
