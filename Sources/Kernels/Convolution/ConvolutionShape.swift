/// The geometry of a two-dimensional convolution over NHWC planes, square kernel.
public struct ConvolutionShape: Sendable, Hashable {
    /// The input plane: rows, columns, channels.
    public let inputHeight, inputWidth, inputChannels: Int
    /// The channels of the output.
    public let outputChannels: Int
    /// The side of the kernel, the step, and the zeros added on each side.
    public let kernel, stride, padding: Int

    /// A convolution; the output must have at least one pixel.
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
            "no convolution: \(self)"
        )
    }

    /// The output's rows.
    public var outputHeight: Int { (inputHeight + 2 * padding - kernel) / stride + 1 }
    /// The output's columns.
    public var outputWidth: Int { (inputWidth + 2 * padding - kernel) / stride + 1 }
    /// Pixels of one input image.
    public var inputPixels: Int { inputHeight * inputWidth }
    /// Pixels of one output image.
    public var outputPixels: Int { outputHeight * outputWidth }
    /// Weights: output channels x input channels x kernel x kernel.
    public var weightCount: Int { outputChannels * patch }
    /// The inner dimension of the convolution as a matrix product: kernel x kernel x input channels.
    var patch: Int { kernel * kernel * inputChannels }
    /// The convolution whose forward pass is the data gradient of this one, 3x3 of stride 1 and padding 1:
    /// channels swapped.
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
