import Kernels
import Testing

/// The algorithm that the planner chooses for typical layers.
@Suite struct ConvolutionAlgorithmTests {
    private func choose(
        _ side: Int,
        _ channels: Int,
        _ batch: Int,
        kernel: Int = 3,
        stride: Int = 1,
        isWide: Bool = false
    ) -> ConvolutionAlgorithm {
        let shape = ConvolutionShape(
            inputHeight: side,
            inputWidth: side,
            inputChannels: channels,
            outputChannels: channels,
            kernel: kernel,
            stride: stride,
            padding: kernel / 2
        )
        return .choose(shape, batch: batch, isWide: isWide)
    }

    @Test("F(4x4) is chosen for many tiles, F(2x2) for few")
    func tiles() {
        #expect(choose(32, 64, 1) == .winograd4)
        #expect(choose(4, 512, 40) == .winograd4)
        #expect(choose(4, 512, 8) == .winograd2)
    }

    @Test("With wide registers, the cost of large weights counts more")
    func wide() {
        #expect(choose(32, 64, 1, isWide: true) == .winograd4)
        #expect(choose(4, 512, 40, isWide: true) == .winograd2)
        #expect(choose(4, 512, 4, isWide: true) == .direct)
    }

    @Test("Stride 2 uses its own transform where that is faster")
    func strided() { #expect(choose(32, 64, 40, stride: 2) == .winogradStrided) }

    @Test("Other kernels, other strides and single pixels use direct convolution")
    func direct() {
        #expect(choose(32, 64, 8, kernel: 1) == .direct)
        #expect(choose(8, 512, 4, stride: 2) == .direct)
        #expect(choose(32, 64, 8, kernel: 7) == .direct)
        #expect(choose(1, 256, 1) == .direct)
    }
}
