/// The fused epilogue of a convolution, applied before the result is stored: y = act(x * w + bias + residual).
public struct Epilogue {
    /// One number for each output channel.
    public var bias: Floats?
    /// A tensor of the output's shape; it may be the output itself, to accumulate.
    public var residual: Floats?
    /// Whether a ReLU is applied to the result.
    public var relu: Bool

    /// Creates an epilogue; by default it changes nothing.
    public init(bias: Floats? = nil, residual: Floats? = nil, relu: Bool = false) {
        self.bias = bias
        self.residual = residual
        self.relu = relu
    }

    /// Stores the first `lanes` lanes of `value`, eight sums that include the bias, at `place` of `output`.
    @inline(__always)
    func finish(_ value: Vector, at place: Int, lanes: Int, to output: MutableFloats) {
        var result = value
        if let residual { result += load(residual + place, lanes) }
        if relu { result = larger(result, .zero) }
        store(result, output + place, lanes)
    }
}
