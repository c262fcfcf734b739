/// Convolution and its gradients, computed with the algorithm that the planner chose.
///
/// Planes are in NHWC order. Weights are `[out, in, kernel, kernel]` and are packed before use.
public enum Convolution {
    /// The size of the packed weights in floats.
    public static func packedCount(_ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm) -> Int {
        switch algorithm {
        case .direct: DirectConvolution.packedCount(shape)
        case .winograd2: WinogradConvolution<WinogradF2>.packedCount(shape)
        case .winograd4: WinogradConvolution<WinogradF4>.packedCount(shape)
        case .winogradStrided: WinogradConvolution<WinogradStrided>.packedCount(shape)
        }
    }

    /// Packs `weight` for ``forward(_:_:batch:input:packed:epilogue:output:_:)``.
    public static func pack(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        switch algorithm {
        case .direct: DirectConvolution.pack(weight, shape, into: packed, workers)
        case .winograd2: WinogradConvolution<WinogradF2>.pack(weight, shape, flipped: false, into: packed, workers)
        case .winograd4: WinogradConvolution<WinogradF4>.pack(weight, shape, flipped: false, into: packed, workers)
        case .winogradStrided:
            WinogradConvolution<WinogradStrided>.pack(weight, shape, flipped: false, into: packed, workers)
        }
    }

    /// Computes y = epilogue(x * w): `input` is `[batch, H, W, in]`, `output` is `[batch, H', W', out]`.
    public static func forward(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int,
        input: Floats,
        packed: Floats,
        epilogue: Epilogue,
        output: MutableFloats,
        _ workers: ThreadPool
    ) {
        let forward =
            switch algorithm {
            case .direct: DirectConvolution.forward
            case .winograd2: WinogradConvolution<WinogradF2>.forward
            case .winograd4: WinogradConvolution<WinogradF4>.forward
            case .winogradStrided: WinogradConvolution<WinogradStrided>.forward
            }
        forward(shape, batch, input, packed, epilogue, output, workers)
    }

    /// The size in floats of the weights packed for the input gradient.
    public static func gradientPackedCount(_ shape: ConvolutionShape, _ algorithm: ConvolutionAlgorithm) -> Int {
        algorithm.forGradients == .direct
            ? DirectConvolution.gradientPackedCount(shape)
            : packedCount(shape.transposed, algorithm)
    }

    /// Packs `weight` for ``inputGradient(_:_:batch:outputGradient:packed:accumulate:inputGradient:_:)``.
    public static func packForInputGradient(
        _ weight: Floats,
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        into packed: MutableFloats,
        _ workers: ThreadPool
    ) {
        switch algorithm {
        case .direct, .winogradStrided:
            DirectConvolution.packForInputGradient(weight, shape, into: packed, workers)
        case .winograd2:
            WinogradConvolution<WinogradF2>.pack(weight, shape.transposed, flipped: true, into: packed, workers)
        case .winograd4:
            WinogradConvolution<WinogradF4>.pack(weight, shape.transposed, flipped: true, into: packed, workers)
        }
    }

    /// Computes ∂loss/∂x from ∂loss/∂y; adds it to `inputGradient` when `accumulate`, otherwise stores it there.
    public static func inputGradient(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int,
        outputGradient: Floats,
        packed: Floats,
        accumulate: Bool,
        inputGradient: MutableFloats,
        _ workers: ThreadPool
    ) {
        if algorithm.forGradients == .direct {
            DirectConvolution.inputGradient(
                shape,
                batch: batch,
                outputGradient: outputGradient,
                packed: packed,
                accumulate: accumulate,
                inputGradient: inputGradient,
                workers
            )
        } else {
            forward(
                shape.transposed,
                algorithm,
                batch: batch,
                input: outputGradient,
                packed: packed,
                epilogue: Epilogue(residual: accumulate ? Floats(inputGradient) : nil),
                output: inputGradient,
                workers
            )
        }
    }

    /// The size in floats of the workspace of
    /// ``weightGradient(_:_:batch:input:outputGradient:weightGradient:workspace:_:)``.
    public static func weightGradientWorkspace(
        _ shape: ConvolutionShape,
        _ algorithm: ConvolutionAlgorithm,
        batch: Int
    ) -> Int {
        switch algorithm {
        case .direct, .winogradStrided: DirectWeightGradient.workspaceCount(shape, batch: batch)
        case .winograd2: WinogradWeightGradient<WinogradF2>.workspaceCount(shape, batch: batch)
        case .winograd4: WinogradWeightGradient<WinogradF4>.workspaceCount(shape, batch: batch)
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
        _ workers: ThreadPool
    ) {
        let run =
            switch algorithm {
            case .direct, .winogradStrided: DirectWeightGradient.run
            case .winograd2: WinogradWeightGradient<WinogradF2>.run
            case .winograd4: WinogradWeightGradient<WinogradF4>.run
            }
        run(shape, batch, input, outputGradient, weightGradient, workspace, workers)
    }
}
