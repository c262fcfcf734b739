import Kernels

/// An operation without parameters that a kernel computes from one value: attention, pooling or upsampling.
struct KernelOperation<Kernel: PlaneKernel>: Operation {
    let kernel: Kernel

    var readsInputs: Bool { Kernel.gradientReadsInput }
    var readsOutput: Bool { Kernel.gradientReadsOutput }

    func forward(_ pass: ForwardPass) {
        kernel.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        kernel.backward(
            batch: pass.batch,
            input: pass.first,
            output: pass.output,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            pass.workers
        )
    }
}

extension Graph {
    /// Appends nearest-neighbor upsampling from `[H, W, C]` to `[2H, 2W, C]`.
    public mutating func upsample(_ input: Value) -> Value {
        let plane = shape(of: input)
        return apply(
            KernelOperation(kernel: Upsampling(height: plane.height, width: plane.width, channels: plane.channels)),
            to: input,
            shape: PlaneShape(height: 2 * plane.height, width: 2 * plane.width, channels: plane.channels)
        )
    }

    /// Appends max pooling 3x3 with stride 2 and padding 1.
    public mutating func maxPool(_ input: Value) -> Value {
        let plane = shape(of: input)
        let pooling = MaxPooling(height: plane.height, width: plane.width, channels: plane.channels)
        return apply(
            KernelOperation(kernel: pooling),
            to: input,
            shape: PlaneShape(height: pooling.outputHeight, width: pooling.outputWidth, channels: plane.channels)
        )
    }

    /// Appends the average over all pixels, from `[H, W, C]` to `[C]`.
    public mutating func averagePool(_ input: Value) -> Value {
        let plane = shape(of: input)
        return apply(
            KernelOperation(kernel: AveragePooling(pixels: plane.pixels, channels: plane.channels)),
            to: input,
            shape: PlaneShape(vector: plane.channels)
        )
    }

    private func attentionShape(_ input: Value, heads: Int) -> AttentionShape {
        let plane = shape(of: input)
        precondition(plane.channels % (3 * heads) == 0, "\(plane.channels) channels do not fit \(heads) heads")
        return AttentionShape(positions: plane.pixels, heads: heads, headSize: plane.channels / (3 * heads))
    }

    private func attended(_ input: Value) -> PlaneShape {
        let plane = shape(of: input)
        return PlaneShape(height: plane.height, width: plane.width, channels: plane.channels / 3)
    }

    /// Appends linear attention from `[H, W, 3 * heads * headSize]` to `[H, W, heads * headSize]`.
    public mutating func linearAttention(_ input: Value, heads: Int) -> Value {
        let operation = KernelOperation(kernel: LinearAttention(attentionShape(input, heads: heads)))
        return apply(operation, to: input, shape: attended(input))
    }

    /// Appends full attention from `[H, W, 3 * heads * headSize]` to `[H, W, heads * headSize]`.
    public mutating func fullAttention(_ input: Value, heads: Int) -> Value {
        let operation = KernelOperation(kernel: FullAttention(attentionShape(input, heads: heads)))
        return apply(operation, to: input, shape: attended(input))
    }
}
