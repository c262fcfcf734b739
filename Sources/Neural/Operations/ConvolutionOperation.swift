import Kernels

/// A convolution with an optional bias and optional weight standardization.
///
/// A dense layer is a 1x1 convolution of a plane of one pixel.
struct ConvolutionOperation: Operation {
    let shape: ConvolutionShape
    /// The offset of the weights `[out, in, kernel, kernel]`.
    let weight: Int
    /// The offset of the bias `[out]`.
    let bias: Int?
    let isStandardized: Bool

    var role: OperationRole { .convolution(self) }

    private func algorithm(_ batch: Int) -> ConvolutionAlgorithm { .choose(shape, batch: batch) }

    func workspaceCount(batch: Int) -> Int {
        let algorithm = algorithm(batch)
        let gradient = Convolution.weightGradientWorkspace(shape, algorithm, batch: batch)
        let packed = max(
            Convolution.packedCount(shape, algorithm),
            Convolution.gradientPackedCount(shape, algorithm)
        )
        return 2 * shape.weightCount + max(packed, gradient)
    }

    /// Returns the weights that the convolution uses; standardized weights are written to `target`.
    func effectiveWeights(_ parameters: Floats, into target: MutableFloats, _ workers: ThreadPool) -> Floats {
        guard isStandardized else { return parameters + weight }
        WeightStandardization.forward(
            parameters + weight,
            channels: shape.outputChannels,
            count: shape.weightCount / shape.outputChannels,
            into: target,
            workers
        )
        return Floats(target)
    }

    func forward(_ pass: ForwardPass) {
        let algorithm = algorithm(pass.batch)
        let weights = effectiveWeights(pass.parameters, into: pass.workspace, pass.workers)
        let packed = pass.workspace + 2 * shape.weightCount
        Convolution.pack(weights, shape, algorithm, into: packed, pass.workers)
        Convolution.forward(
            shape,
            algorithm,
            batch: pass.batch,
            input: pass.first,
            packed: packed,
            epilogue: Epilogue(bias: bias.map { Floats(pass.parameters + $0) }),
            output: pass.output,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        let algorithm = algorithm(pass.batch)
        let rest = pass.workspace + 2 * shape.weightCount
        if let target = pass.firstGradient {
            let weights = effectiveWeights(pass.parameters, into: pass.workspace, pass.workers)
            Convolution.packForInputGradient(weights, shape, algorithm, into: rest, pass.workers)
            Convolution.inputGradient(
                shape,
                algorithm,
                batch: pass.batch,
                outputGradient: pass.outputGradient,
                packed: rest,
                accumulate: target.accumulate,
                inputGradient: target.pointer,
                pass.workers
            )
        }
        if let bias {
            ColumnSums.add(
                pass.outputGradient,
                rows: pass.batch * shape.outputPixels,
                columns: shape.outputChannels,
                to: pass.parameterGradients + bias,
                pass.workers
            )
        }
        let effectiveGradient = pass.workspace + shape.weightCount
        if isStandardized { effectiveGradient.update(repeating: 0, count: shape.weightCount) }
        Convolution.weightGradient(
            shape,
            algorithm,
            batch: pass.batch,
            input: pass.first,
            outputGradient: pass.outputGradient,
            weightGradient: isStandardized ? effectiveGradient : pass.parameterGradients + weight,
            workspace: rest,
            pass.workers
        )
        if isStandardized {
            WeightStandardization.backward(
                pass.parameters + weight,
                gradient: effectiveGradient,
                channels: shape.outputChannels,
                count: shape.weightCount / shape.outputChannels,
                weightGradient: pass.parameterGradients + weight,
                pass.workers
            )
        }
    }
}

extension Graph {
    /// Appends a convolution named `name`: weights `name.weight` and, unless `bias` is false, `name.bias`.
    ///
    /// Weights and bias are initialized uniformly in ±1/sqrt(fan-in), the default of the reference implementation.
    public mutating func convolution(
        _ input: Value,
        _ name: String,
        outputs: Int,
        kernel: Int = 1,
        stride: Int = 1,
        padding: Int = 0,
        bias: Bool = true,
        isStandardized: Bool = false
    ) -> Value {
        let plane = shape(of: input)
        let shape = ConvolutionShape(
            inputHeight: plane.height,
            inputWidth: plane.width,
            inputChannels: plane.channels,
            outputChannels: outputs,
            kernel: kernel,
            stride: stride,
            padding: padding
        )
        return convolution(input, name, shape, [outputs, plane.channels, kernel, kernel], bias, isStandardized)
    }

    /// Appends a dense layer named `name`, y = x Wᵀ + b, on a vector.
    public mutating func dense(_ input: Value, _ name: String, outputs: Int) -> Value {
        let plane = shape(of: input)
        precondition(plane.pixels == 1, "the input of a dense layer must be a vector")
        let shape = ConvolutionShape(
            inputHeight: 1,
            inputWidth: 1,
            inputChannels: plane.channels,
            outputChannels: outputs,
            kernel: 1,
            stride: 1,
            padding: 0
        )
        return convolution(input, name, shape, [outputs, plane.channels], true, false)
    }

    private mutating func convolution(
        _ input: Value,
        _ name: String,
        _ shape: ConvolutionShape,
        _ weightShape: [Int],
        _ hasBias: Bool,
        _ isStandardized: Bool
    ) -> Value {
        let fanIn = shape.inputChannels * shape.kernel * shape.kernel
        let bound = Parameter.Initialization.uniform(bound: 1 / Float(fanIn).squareRoot())
        let weight = parameter("\(name).weight", weightShape, bound)
        let bias = hasBias ? parameter("\(name).bias", [shape.outputChannels], bound) : nil
        return apply(
            ConvolutionOperation(shape: shape, weight: weight, bias: bias, isStandardized: isStandardized),
            to: input,
            shape: PlaneShape(height: shape.outputHeight, width: shape.outputWidth, channels: shape.outputChannels)
        )
    }
}
