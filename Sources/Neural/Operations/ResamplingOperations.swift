import Kernels

/// Nearest-neighbor upsampling by a factor of 2.
struct UpsamplingOperation: Operation {
    let upsampling: Upsampling

    var readsInputs: Bool { false }

    func forward(_ pass: ForwardPass) {
        upsampling.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        upsampling.backward(
            batch: pass.batch,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            pass.workers
        )
    }
}

/// Max pooling 3x3 with stride 2 and padding 1.
struct MaxPoolingOperation: Operation {
    let pooling: MaxPooling

    var readsOutput: Bool { true }

    func forward(_ pass: ForwardPass) {
        pooling.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        pooling.backward(
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

/// The average over all pixels.
struct AveragePoolingOperation: Operation {
    let pooling: AveragePooling

    var readsInputs: Bool { false }

    func forward(_ pass: ForwardPass) {
        pooling.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        pooling.backward(
            batch: pass.batch,
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
            UpsamplingOperation(
                upsampling: Upsampling(height: plane.height, width: plane.width, channels: plane.channels)
            ),
            to: input,
            shape: PlaneShape(height: 2 * plane.height, width: 2 * plane.width, channels: plane.channels)
        )
    }

    /// Appends max pooling 3x3 with stride 2 and padding 1.
    public mutating func maxPool(_ input: Value) -> Value {
        let plane = shape(of: input)
        let pooling = MaxPooling(height: plane.height, width: plane.width, channels: plane.channels)
        return apply(
            MaxPoolingOperation(pooling: pooling),
            to: input,
            shape: PlaneShape(height: pooling.outputHeight, width: pooling.outputWidth, channels: plane.channels)
        )
    }

    /// Appends the average over all pixels, from `[H, W, C]` to `[C]`.
    public mutating func averagePool(_ input: Value) -> Value {
        let plane = shape(of: input)
        return apply(
            AveragePoolingOperation(pooling: AveragePooling(pixels: plane.pixels, channels: plane.channels)),
            to: input,
            shape: PlaneShape(vector: plane.channels)
        )
    }
}
