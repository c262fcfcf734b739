import Kernels

/// Group normalization with SiLU; the optional second input is the scale and shift of the time embedding.
struct GroupNormOperation: Operation {
    let norm: GroupNorm
    let gain, bias: Int

    // The gain and the bias are declared one after the other.
    var parameterRange: Range<Int> { gain..<bias + norm.channels }

    func savedCount(batch: Int) -> Int { norm.statisticsCount(batch: batch) }
    func workspaceCount(batch: Int) -> Int { norm.workspaceCount(batch: batch) }

    func forward(_ pass: ForwardPass) {
        norm.forward(
            batch: pass.batch,
            input: pass.first,
            gain: pass.parameters + gain,
            bias: pass.parameters + bias,
            modulation: pass.second,
            statistics: pass.saved,
            output: pass.output,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { preconditionFailure("a norm must follow a layer with weights") }
        precondition(pass.secondGradient?.accumulate != true, "a norm's modulation must have one consumer")
        norm.backward(
            batch: pass.batch,
            input: pass.first,
            gain: pass.parameters + gain,
            bias: pass.parameters + bias,
            modulation: pass.second,
            statistics: pass.saved,
            outputGradient: pass.outputGradient,
            gradients: GroupNorm.Gradients(
                input: target.pointer,
                accumulate: target.accumulate,
                gain: pass.parameterGradients + gain,
                bias: pass.parameterGradients + bias,
                modulation: pass.secondGradient?.pointer
            ),
            workspace: pass.workspace,
            pass.workers
        )
    }
}

extension Graph {
    /// Appends group normalization named `name`, with an optional modulation `[2 * channels]`, followed by SiLU.
    public mutating func groupNorm(_ input: Value, _ name: String, groups: Int, modulation: Value? = nil) -> Value {
        let plane = shape(of: input)
        let channels = plane.channels
        if let modulation {
            precondition(shape(of: modulation) == PlaneShape(vector: 2 * channels), "wrong modulation width")
        }
        let operation = GroupNormOperation(
            norm: GroupNorm(pixels: plane.pixels, channels: channels, groups: groups, silu: true),
            gain: parameter("\(name).weight", [channels], .constant(1)),
            bias: parameter("\(name).bias", [channels], .constant(0))
        )
        guard let modulation else { return apply(operation, to: input, shape: plane) }
        return apply(operation, to: input, modulation, shape: plane)
    }
}
