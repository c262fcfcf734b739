public import Kernels

/// The update rule of an optimizer.
public enum OptimizerRule: Sendable, Hashable, Codable {
    /// Gradient descent with momentum and weight decay.
    case sgd(momentum: Float, weightDecay: Float)
    /// Adam; with `weightDecay` it is AdamW, which does not add the decay to the moments.
    case adam(beta1: Float, beta2: Float, weightDecay: Float)
    /// LARS (You et al., 2017): gradient descent with momentum, with the step of each tensor multiplied by
    /// trust |p| / (|g| + decay |p| + 1e-8).
    case lars(momentum: Float, weightDecay: Float, trust: Float)
}

/// An optimizer with its state: the moments of each parameter, and the number of steps taken.
public struct Optimizer: Sendable {
    /// The update rule.
    public let rule: OptimizerRule
    /// The number of steps taken so far.
    public private(set) var steps: Int
    /// The momentum buffer, or the two moments of Adam, each as long as the parameters.
    public private(set) var moments: [[Float]]

    /// Creates an optimizer for `count` numbers that has taken no steps.
    public init(_ rule: OptimizerRule, count: Int) {
        let buffers = if case .adam = rule { 2 } else { 1 }
        self.init(rule, steps: 0, moments: Array(repeating: Array(repeating: 0, count: count), count: buffers))
    }

    /// Creates an optimizer that continues from a saved state.
    public init(_ rule: OptimizerRule, steps: Int, moments: [[Float]]) {
        self.rule = rule
        self.steps = steps
        self.moments = moments
    }

    /// The number of parameters that one work item updates.
    private static let block = 1 << 16

    /// Updates the trainable parameters by one step along the negative `gradient` with learning rate `rate`.
    public mutating func step(_ parameters: inout Parameters, gradient: [Float], rate: Float, workers: ThreadPool) {
        precondition(gradient.count == parameters.values.count, "the gradient does not match the parameters")
        steps += 1
        let (layout, rule, steps) = (parameters.layout, rule, steps)
        Self.withMoments(&moments) { first, second in
            parameters.values.withUnsafeMutableBufferPointer { values in
                gradient.withUnsafeBufferPointer { gradient in
                    guard let values = values.baseAddress, let gradient = gradient.baseAddress else { return }
                    for parameter in layout where parameter.isTrainable {
                        let at = parameter.offset
                        let scale = Self.trust(rule, values + at, gradient + at, parameter.count)
                        workers.run(over: parameter.count, by: Self.block) { range, _ in
                            let offset = parameter.offset + range.lowerBound
                            switch rule {
                            case .adam(let beta1, let beta2, let weightDecay):
                                OptimizerSteps.adam(
                                    values + offset,
                                    gradient: gradient + offset,
                                    first: first + offset,
                                    second: second + offset,
                                    count: range.count,
                                    rate: rate,
                                    betas: (beta1, beta2),
                                    epsilon: 1e-8,
                                    decay: weightDecay,
                                    step: steps
                                )
                            case .sgd(let momentum, let weightDecay), .lars(let momentum, let weightDecay, _):
                                OptimizerSteps.momentum(
                                    values + offset,
                                    gradient: gradient + offset,
                                    buffer: first + offset,
                                    count: range.count,
                                    rate: rate,
                                    momentum: momentum,
                                    decay: weightDecay,
                                    scale: scale
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    /// The factor that LARS applies to the step of a tensor; 1 for the other rules.
    private static func trust(_ rule: OptimizerRule, _ values: Floats, _ gradient: Floats, _ count: Int) -> Float {
        guard case .lars(_, let weightDecay, let trust) = rule else { return 1 }
        let size = OptimizerSteps.norm(values, count: count)
        let slope = OptimizerSteps.norm(gradient, count: count)
        return size > 0 && slope > 0 ? trust * size / (slope + weightDecay * size + 1e-8) : 1
    }

    /// Passes the moments to the callback for update in place; rules with one moment pass it twice.
    private static func withMoments(
        _ moments: inout [[Float]],
        _ body: (_ first: MutableFloats, _ second: MutableFloats) -> Void
    ) {
        var second: [Float] = []
        if moments.count > 1 { swap(&second, &moments[1]) }
        moments[0].withUnsafeMutableBufferPointer { first in
            guard let first = first.baseAddress else { return }
            second.withUnsafeMutableBufferPointer { body(first, $0.baseAddress ?? first) }
        }
        if moments.count > 1 { swap(&second, &moments[1]) }
    }
}

/// An exponential moving average of the numbers of a network.
public struct MovingAverage: Sendable {
    /// The weight of the old average at each update.
    public let decay: Float
    /// The current average.
    public var values: [Float]

    /// Creates an average that starts at `values`.
    public init(of values: [Float], decay: Float) {
        self.values = values
        self.decay = decay
    }

    /// Moves the average toward `current`.
    public mutating func update(towards current: [Float]) {
        precondition(current.count == values.count, "the numbers do not match the average")
        let count = values.count
        values.withUnsafeMutableBufferPointer { average in
            current.withUnsafeBufferPointer { current in
                guard let average = average.baseAddress, let current = current.baseAddress else { return }
                OptimizerSteps.movingAverage(average, towards: current, count: count, decay: decay)
            }
        }
    }
}
