import Kernels

/// Layer normalization over the channels with a gain but no bias.
struct ChannelLayerNormOperation: Operation {
    let norm: ChannelLayerNorm
    let pixels: Int
    let gain: Int

    var parameterRange: Range<Int> { gain..<gain + norm.channels }

    func workspaceCount(batch: Int) -> Int { norm.workspaceCount(rows: batch * pixels) }

    func forward(_ pass: ForwardPass) {
        norm.forward(
            rows: pass.batch * pixels,
            input: pass.first,
            gain: pass.parameters + gain,
            output: pass.output,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { preconditionFailure("a norm must follow a layer with weights") }
        norm.backward(
            rows: pass.batch * pixels,
            input: pass.first,
            gain: pass.parameters + gain,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            gainGradient: pass.parameterGradients + gain,
            workspace: pass.workspace,
            pass.workers
        )
    }
}

extension Graph {
    /// Appends layer normalization over the channels; its gain is `name.g` of shape `[1, channels, 1, 1]`.
    public mutating func channelLayerNorm(_ input: Value, _ name: String) -> Value {
        let plane = shape(of: input)
        let operation = ChannelLayerNormOperation(
            norm: ChannelLayerNorm(channels: plane.channels),
            pixels: plane.pixels,
            gain: parameter("\(name).g", [1, plane.channels, 1, 1], .constant(1))
        )
        return apply(operation, to: input, shape: plane)
    }
}
