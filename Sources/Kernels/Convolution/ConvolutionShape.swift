/// The geometry of a two-dimensional convolution over NHWC planes with a square kernel.
public struct ConvolutionShape: Sendable, Hashable {
    /// The rows, columns and channels of the input plane.
    public let inputHeight, inputWidth, inputChannels: Int
    /// The number of output channels.
    public let outputChannels: Int
    /// The side of the kernel, the stride, and the zero padding on each side.
    public let kernel, stride, padding: Int

    /// Creates a convolution; the output must have at least one pixel.
    public init(
        inputHeight: Int,
        inputWidth: Int,
        inputChannels: Int,
        outputChannels: Int,
        kernel: Int,
        stride: Int,
        padding: Int
    ) {
        self.inputHeight = inputHeight
        self.inputWidth = inputWidth
        self.inputChannels = inputChannels
        self.outputChannels = outputChannels
        self.kernel = kernel
        self.stride = stride
        self.padding = padding
        precondition(
            inputChannels > 0 && outputChannels > 0 && kernel > 0 && stride > 0
                && (0..<kernel).contains(padding)
                && inputHeight + 2 * padding >= kernel && inputWidth + 2 * padding >= kernel,
            "invalid convolution shape: \(self)"
        )
    }

    /// The number of output rows.
    public var outputHeight: Int { (inputHeight + 2 * padding - kernel) / stride + 1 }
    /// The number of output columns.
    public var outputWidth: Int { (inputWidth + 2 * padding - kernel) / stride + 1 }
    /// The number of pixels in one input image.
    public var inputPixels: Int { inputHeight * inputWidth }
    /// The number of pixels in one output image.
    public var outputPixels: Int { outputHeight * outputWidth }
    /// The number of weights: output channels * kernel * kernel * input channels.
    public var weightCount: Int { outputChannels * patch }
    /// The inner dimension of the convolution as a matrix product: kernel * kernel * input channels.
    var patch: Int { kernel * kernel * inputChannels }
    /// The convolution that computes the input gradient of this one as its forward pass: the channels are swapped.
    ///
    /// Only for 3x3 kernels with stride 1 and padding 1.
    var transposed: ConvolutionShape {
        ConvolutionShape(
            inputHeight: outputHeight,
            inputWidth: outputWidth,
            inputChannels: outputChannels,
            outputChannels: inputChannels,
            kernel: kernel,
            stride: stride,
            padding: padding
        )
    }
}
