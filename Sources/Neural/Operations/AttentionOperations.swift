import Kernels

/// Linear attention; the channels of the input are the queries, the keys and the values.
struct LinearAttentionOperation: Operation {
    let attention: LinearAttention

    func forward(_ pass: ForwardPass) {
        attention.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        attention.backward(
            batch: pass.batch,
            input: pass.first,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            pass.workers
        )
    }
}

/// Full attention; the channels of the input are the queries, the keys and the values.
struct FullAttentionOperation: Operation {
    let attention: FullAttention

    func forward(_ pass: ForwardPass) {
        attention.forward(batch: pass.batch, input: pass.first, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        attention.backward(
            batch: pass.batch,
            input: pass.first,
            outputGradient: pass.outputGradient,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            pass.workers
        )
    }
}

extension Graph {
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
        let operation = LinearAttentionOperation(attention: LinearAttention(attentionShape(input, heads: heads)))
        return apply(operation, to: input, shape: attended(input))
    }

    /// Appends full attention from `[H, W, 3 * heads * headSize]` to `[H, W, heads * headSize]`.
    public mutating func fullAttention(_ input: Value, heads: Int) -> Value {
        let operation = FullAttentionOperation(attention: FullAttention(attentionShape(input, heads: heads)))
        return apply(operation, to: input, shape: attended(input))
    }
}
