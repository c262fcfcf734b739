/// What a convolution adds to its products before it stores them: y = act(x * w + bias + residual).
public struct Epilogue {
    /// One number for each output channel.
    public var bias: Floats?
    /// A tensor of the output's shape; it may be the output itself, to accumulate.
    public var residual: Floats?
    /// Whether negative results become zero.
    public var relu: Bool

    /// An epilogue; by default it adds nothing.
    public init(bias: Floats? = nil, residual: Floats? = nil, relu: Bool = false) {
        self.bias = bias
        self.residual = residual
        self.relu = relu
    }

    /// Stores `value`, eight sums with their bias, at `place` of `output`; the first `lanes` of them.
    @inline(__always)
    func finish(_ value: Vector, at place: Int, _ lanes: Int, _ output: MutableFloats) {
        var result = value
        if let residual { result += load(residual + place, lanes) }
        if relu { result = larger(result, .zero) }
        store(result, output + place, lanes)
    }
}
