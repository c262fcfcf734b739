import Kernels

/// A convolution with folded and packed weights.
struct PreparedConvolution {
    let weights: KeptWeights
    let bias: FloatBuffer
    let relu: Bool

    init(
        _ operation: ConvolutionOperation,
        norm: BatchNormOperation?,
        relu: Bool,
        parameters: Floats,
        batch: Int,
        workers: ThreadPool
    ) {
        let shape = operation.shape
        self.relu = relu
        let weights = FloatBuffer(count: shape.weightCount)
        let effective = operation.effectiveWeights(parameters, into: weights.pointer, workers)
        let bias = FloatBuffer(count: shape.outputChannels)
        let perChannel = shape.weightCount / shape.outputChannels
        for channel in 0..<shape.outputChannels {
            // y = γ (w x + b - mean) / sqrt(var + eps) + β
            var (scale, shift): (Float, Float) = (1, operation.bias.map { parameters[$0 + channel] } ?? 0)
            if let norm {
                let variance = parameters[norm.runningVariance + channel] + BatchNorm.epsilon
                scale = parameters[norm.gain + channel] / variance.squareRoot()
                shift = (shift - parameters[norm.runningMean + channel]) * scale + parameters[norm.bias + channel]
            }
            bias.pointer[channel] = shift
            for index in channel * perChannel..<(channel + 1) * perChannel {
                weights.pointer[index] = effective[index] * scale
            }
        }
        self.bias = bias
        self.weights = KeptWeights(weights.pointer, shape, .choose(shape, batch: batch), workers)
    }

    func run(batch: Int, input: Floats, residual: Floats?, output: MutableFloats, _ workers: ThreadPool) {
        weights.forward(
            batch: batch,
            input: input,
            epilogue: Epilogue(bias: Floats(bias.pointer), residual: residual, relu: relu),
            output: output,
            workers
        )
    }
}
