/// Convolution and its gradients by the algorithm that the planner chose.
///
/// Planes are NHWC; weights are `[out, in, kernel, kernel]` and are packed before use.
public enum Convolution {
    /// Floats of the packed weights.
    public static func packedCount(_ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm) -> Int {
        algorithm == .winograd ? WinogradConvolution.packedCount(shape) : shape.weightCount
    }

    /// Packs `weight` for ``forward(_:_:batch:input:packed:epilogue:output:_:)``.
    public static func pack(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        into packed: MutableFloats,
        _ workers: Workers
    ) {
        switch algorithm {
        case .winograd: WinogradConvolution.pack(weight, shape, flipped: false, into: packed, workers)
        case .lowered: LoweredConvolution.pack(weight, shape, into: packed, workers)
        }
    }

    /// y = epilogue(x * w): `input` `[batch, H, W, in]`, `output` `[batch, H', W', out]`.
    public static func forward(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: Workers
    ) {
        let forward = algorithm == .winograd ? WinogradConvolution.forward : LoweredConvolution.forward
        forward(shape, batch, input, packed, epilogue, output, workers)
    }

    /// Packs `weight` for ``inputGradient(_:_:batch:outputGradient:packed:accumulate:inputGradient:_:)``.
    public static func packForInputGradient(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        into packed: MutableFloats,
        _ workers: Workers
    ) {
        switch algorithm {
        case .winograd: WinogradConvolution.pack(weight, shape.transposed, flipped: true, into: packed, workers)
        case .lowered: LoweredConvolution.pack(weight, shape, into: packed, workers)
        }
    }

    /// ∂loss/∂x for ∂loss/∂y; added to `inputGradient` when `accumulate`, else stored there.
    public static func inputGradient(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int,
        outputGradient: Floats,
        packed: Floats,
        accumulate: Bool,
        inputGradient: MutableFloats,
        _ workers: Workers
    ) {
        switch algorithm {
        case .winograd:
            WinogradConvolution.forward(
                shape.transposed,
                batch: batch,
                input: outputGradient,
                packed: packed,
                epilogue: Epilogue(residual: accumulate ? Floats(inputGradient) : nil),
                output: inputGradient,
                workers
            )
        case .lowered:
            LoweredConvolution.inputGradient(
                shape,
                batch: batch,
                outputGradient: outputGradient,
                packed: packed,
                accumulate: accumulate,
                inputGradient: inputGradient,
                workers
            )
        }
    }

    /// Floats of workspace for the weight gradient.
    public static func weightGradientWorkspace(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int
    ) -> Int {
        switch algorithm {
        case .winograd: WinogradConvolution.weightGradientWorkspace(shape, batch: batch)
        case .lowered: LoweredConvolution.weightGradientWorkspace(shape, batch: batch)
        }
    }

    /// Adds ∂loss/∂w to `weightGradient` `[out, in, kernel, kernel]`.
    public static func weightGradient(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int,
        input: Floats,
        outputGradient: Floats,
        weightGradient: MutableFloats,
        workspace: MutableFloats,
        _ workers: Workers
    ) {
        let gradient =
            algorithm == .winograd ? WinogradConvolution.weightGradient : LoweredConvolution.weightGradient
        gradient(shape, batch, input, outputGradient, weightGradient, workspace, workers)
    }
}
