public import Kernels

/// An element-wise activation function.
struct ActivationOperation: Operation {
    let activation: Activation
    let count: Int

    func forward(_ pass: ForwardPass) {
        activation.forward(pass.first, count: pass.batch * count, output: pass.output, pass.workers)
    }

    func backward(_ pass: BackwardPass) {
        guard let target = pass.firstGradient else { return }
        activation.backward(
            pass.first,
            outputGradient: pass.outputGradient,
            count: pass.batch * count,
            inputGradient: target.pointer,
            accumulate: target.accumulate,
            pass.workers
        )
    }
}

/// The sum of two values, optionally followed by a ReLU.
struct AddOperation: Operation {
    let count: Int
    let relu: Bool

    var role: OperationRole { .sum(relu: relu) }
    var readsInputs: Bool { false }
    var readsOutput: Bool { relu }

    func forward(_ pass: ForwardPass) {
        guard let second = pass.second else { preconditionFailure("a sum needs two inputs") }
        Elementwise.add(
            pass.first,
            second,
            count: pass.batch * count,
            relu: relu,
            output: pass.output,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        for target in [pass.firstGradient, pass.secondGradient] {
            guard let target else { continue }
            Elementwise.passGradient(
                pass.outputGradient,
                mask: relu ? pass.output : nil,
                count: pass.batch * count,
                to: target.pointer,
                accumulate: target.accumulate,
                pass.workers
            )
        }
    }
}

/// y = scale · x + shift with two constants, for an input of the network.
struct AffineOperation: Operation {
    let scale, shift: Float
    let count: Int

    var outputNeedsGradient: Bool { false }
    var readsInputs: Bool { false }

    func forward(_ pass: ForwardPass) {
        Elementwise.affine(
            pass.first,
            scale: scale,
            shift: shift,
            count: pass.batch * count,
            output: pass.output,
            pass.workers
        )
    }

    func backward(_ pass: BackwardPass) {
        precondition(pass.firstGradient == nil, "affine is only supported on an input, which has no gradient")
    }
}

/// The concatenation of two values along the channels.
struct ConcatenateOperation: Operation {
    let pixels, firstChannels, secondChannels: Int

    var readsInputs: Bool { false }
    private var channels: Int { firstChannels + secondChannels }

    func forward(_ pass: ForwardPass) {
        guard let second = pass.second else { preconditionFailure("a concatenation needs two inputs") }
        for (source, width, offset) in [(pass.first, firstChannels, 0), (second, secondChannels, firstChannels)] {
            Elementwise.copyChannels(
                source,
                sourceStride: width,
                to: pass.output + offset,
                targetStride: channels,
                channels: width,
                rows: pass.batch * pixels,
                pass.workers
            )
        }
    }

    func backward(_ pass: BackwardPass) {
        let parts = [(pass.firstGradient, firstChannels, 0), (pass.secondGradient, secondChannels, firstChannels)]
        for (target, width, offset) in parts {
            guard let target else { continue }
            Elementwise.copyChannels(
                pass.outputGradient + offset,
                sourceStride: channels,
                to: target.pointer,
                targetStride: width,
                channels: width,
                rows: pass.batch * pixels,
                accumulate: target.accumulate,
                pass.workers
            )
        }
    }
}

extension Graph {
    /// Appends an element-wise activation function.
    public mutating func activation(_ input: Value, _ activation: Activation) -> Value {
        let plane = shape(of: input)
        return apply(ActivationOperation(activation: activation, count: plane.count), to: input, shape: plane)
    }

    /// Appends the sum of two values of the same shape, followed by a ReLU if `relu`.
    public mutating func add(_ first: Value, _ second: Value, relu: Bool = false) -> Value {
        let plane = shape(of: first)
        precondition(plane == shape(of: second), "cannot add \(plane) and \(shape(of: second))")
        return apply(AddOperation(count: plane.count, relu: relu), to: first, second, shape: plane)
    }

    /// Appends y = scale · x + shift on an input of the network.
    public mutating func affine(_ input: Value, scale: Float, shift: Float) -> Value {
        let plane = shape(of: input)
        return apply(AffineOperation(scale: scale, shift: shift, count: plane.count), to: input, shape: plane)
    }

    /// Appends the concatenation of the channels of `first` and `second`.
    public mutating func concatenate(_ first: Value, _ second: Value) -> Value {
        let (one, two) = (shape(of: first), shape(of: second))
        precondition(one.height == two.height && one.width == two.width, "cannot concatenate planes of different sizes")
        return apply(
            ConcatenateOperation(pixels: one.pixels, firstChannels: one.channels, secondChannels: two.channels),
            to: first,
            second,
            shape: PlaneShape(height: one.height, width: one.width, channels: one.channels + two.channels)
        )
    }
}
