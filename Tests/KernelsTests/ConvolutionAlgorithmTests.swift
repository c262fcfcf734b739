import Kernels
import Testing

/// What the planner chooses for the layers it was made for.
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

    @Test("Many tiles pay for the large weights of F(4x4), few for those of F(2x2)")
    func tiles() {
        #expect(choose(32, 64, 1) == .winograd4)
        #expect(choose(4, 512, 40) == .winograd4)
        #expect(choose(4, 512, 8) == .winograd2)
    }

    @Test("Where products are faster, weights weigh more")
    func wide() {
        #expect(choose(32, 64, 1, isWide: true) == .winograd4)
        #expect(choose(4, 512, 40, isWide: true) == .winograd2)
        #expect(choose(4, 512, 4, isWide: true) == .direct)
    }

    @Test("Stride 2 has its own transform where its weights pay")
    func strided() { #expect(choose(32, 64, 40, stride: 2) == .winogradStrided) }

    @Test("Other kernels, strides and single pixels are summed directly")
    func direct() {
        #expect(choose(32, 64, 8, kernel: 1) == .direct)
        #expect(choose(8, 512, 4, stride: 2) == .direct)
        #expect(choose(32, 64, 8, kernel: 7) == .direct)
        #expect(choose(1, 256, 1) == .direct)
    }
}
