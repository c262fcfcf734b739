import Kernels

/// Batch normalization with the statistics of the batch and an optional ReLU.
///
/// ``InferencePlan`` folds it into the preceding convolution, with the running statistics.
struct BatchNormOperation: Operation {
    let norm: BatchNorm
    let pixels: Int
    let gain, bias, runningMean, runningVariance: Int

    var role: OperationRole { .batchNorm(self) }

    func savedCount(batch: Int) -> Int { 2 * norm.channels }
    func workspaceCount(batch: Int) -> Int { norm.workspaceCount(rows: batch * pixels) }

    func forward(_ pass: ForwardPass) {
        norm.forward(
            rows: pass.batch * pixels,
            input: pass.first,
            gain: pass.parameters + gain,
            bias: pass.parameters + bias,
            statistics: pass.saved,
            runningMean: pass.parameters + runningMean,
            runningVariance: pass.parameters + runningVariance,
            output: pass.output,
            workspace: pass.workspace,
            pass.workers
        )
    }

    var isRepeatable: Bool { true }

    func repeatForward(_ pass: ForwardPass) {
        norm.normalize(
            rows: pass.batch * pixels,
            input: pass.first,
            gain: pass.parameters + gain,
            bias: pass.parameters + bias,
            statistics: pass.saved,
            output: pass.output,
            workspace: pass.workspace,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { preconditionFailure("a norm must follow a layer with weights") }
        norm.backward(
            rows: pass.batch * pixels,
            input: pass.first,
            gain: pass.parameters + gain,
            bias: pass.parameters + bias,
            statistics: pass.saved,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            gainGradient: pass.parameterGradients + gain,
            biasGradient: pass.parameterGradients + bias,
            workspace: pass.workspace,
            pass.workers
        )
    }
}

extension Graph {
    /// Appends batch normalization named `name`, followed by a ReLU if `relu`.
    public mutating func batchNorm(_ input: Value, _ name: String, relu: Bool) -> Value {
        let plane = shape(of: input)
        let channels = plane.channels
        let operation = BatchNormOperation(
            norm: BatchNorm(channels: channels, relu: relu),
            pixels: plane.pixels,
            gain: parameter("\(name).weight", [channels], .constant(1)),
            bias: parameter("\(name).bias", [channels], .constant(0)),
            runningMean: parameter("\(name).running_mean", [channels], .constant(0), isTrainable: false),
            runningVariance: parameter("\(name).running_var", [channels], .constant(1), isTrainable: false)
        )
        return apply(operation, to: input, shape: plane)
    }
}
