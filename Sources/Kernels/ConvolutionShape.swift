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
            inputChannels > 0 && outputChannels > 0 && kernel > 0 && stride > 0 && padding >= 0
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
    /// Whether the input itself is the matrix of patches.
    var isPointwise: Bool { kernel == 1 && stride == 1 && padding == 0 }

    /// The convolution whose forward pass is the data gradient of this one (stride 1 only): channels
    /// swapped, the border complementary.
    var transposed: ConvolutionShape {
        precondition(stride == 1, "a strided convolution has no convolution as its transpose: \(self)")
        return ConvolutionShape(
            inputHeight: outputHeight,
            inputWidth: outputWidth,
            inputChannels: outputChannels,
            outputChannels: inputChannels,
            kernel: kernel,
            stride: 1,
            padding: kernel - 1 - padding
        )
    }
}

/// How a convolution is computed.
public enum ConvolutionAlgorithm: Sendable, Hashable {
    /// Winograd's F(4x4, 3x3): 36 products of `[tiles, in] x [in, out]`, four times fewer operations.
    case winograd
    /// One product of the matrix of patches (im2col), or of the input itself for 1x1.
    case lowered

    /// The planner: the one place that chooses how a convolution is computed.
    ///
    /// Winograd serves 3x3 of stride 1. Its weights are four times as large and its products have one
    /// row for each 4x4 tile, so it needs enough tiles in the batch to pay for reading them; below
    /// eight the lowered form reads fewer bytes. With very few channels the transforms cost more than
    /// the products save.
    public static func choose(_ shape: ConvolutionShape, batch: Int) -> ConvolutionAlgorithm {
        guard shape.kernel == 3, shape.stride == 1, shape.padding == 1 else { return .lowered }
        let tiles = batch * ((shape.outputHeight + 3) / 4) * ((shape.outputWidth + 3) / 4)
        let worthTransforming = shape.inputChannels >= 8 && shape.outputChannels >= 8
        return tiles >= 8 && worthTransforming && shape.outputHeight >= 3 ? .winograd : .lowered
    }
}

/// What a convolution adds to its products before it stores them: y = act(x * w + bias + residual).
public struct Epilogue {
    /// One number for each output channel.
    public var bias: Floats?
    /// A tensor of the output's shape; it may be the output itself, to accumulate.
    public var residual: Floats?
    /// Whether negative results become zero.
    public var relu: Bool

    /// An epilogue; by default it adds nothing.
    public init(bias: Floats? = nil, residual: Floats? = nil, relu: Bool = false) {
        self.bias = bias
        self.residual = residual
        self.relu = relu
    }
}
