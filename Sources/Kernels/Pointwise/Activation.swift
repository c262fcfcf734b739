import Glibc

/// Element-wise activation functions.
public enum Activation: Sendable {
    /// max(0, x).
    case relu
    /// x sigmoid(x).
    case silu
    /// x Φ(x), with the exact normal distribution function (erf).
    case gelu

    private static let block = 16_384

    /// Computes y = act(x) for `count` elements; `output` may be `input`.
    public func forward(_ input: Floats, count: Int, output: MutableFloats, _ workers: ThreadPool) {
        workers.run(over: count, by: Self.block) { range, _ in
            let (x, y) = (input + range.lowerBound, output + range.lowerBound)
            forEachVector(range.count) { start, lanes in
                store(value(load(x + start, lanes)), y + start, lanes)
            }
        }
    }

    /// Computes dx = dy act'(x) and stores or adds it.
    public func backward(
        _ input: Floats,
        outputGradient: Floats,
        count: Int,
        inputGradient: MutableFloats,
        accumulate: Bool,
        _ workers: ThreadPool
    ) {
        workers.run(over: count, by: Self.block) { range, _ in
            let (x, dy) = (input + range.lowerBound, outputGradient + range.lowerBound)
            let dx = inputGradient + range.lowerBound
            forEachVector(range.count) { start, lanes in
                var d = load(dy + start, lanes) * slope(load(x + start, lanes))
                if accumulate { d += load(dx + start, lanes) }
                store(d, dx + start, lanes)
            }
        }
    }

    @inline(__always)
    private func value(_ x: Vector) -> Vector {
        switch self {
        case .relu: larger(x, .zero)
        case .silu: x * sigmoid(x)
        case .gelu: x * Self.normal(x)
        }
    }

    @inline(__always)
    private func slope(_ x: Vector) -> Vector {
        switch self {
        case .relu: Vector.zero.replacing(with: 1, where: x .> Vector.zero)
        case .silu:
            sigmoid(x) * (1 + x * (1 - sigmoid(x)))
        case .gelu:
            // Φ(x) + x φ(x)
            Self.normal(x) + x * 0.398_942_28 * exp(x * x * -0.5)
        }
    }

    /// Φ, the normal distribution function.
    ///
    /// Calls erf for each lane, because GELU is only used in the small time embedding.
    private static func normal(_ x: Vector) -> Vector {
        var result = Vector.zero
        for lane in 0..<8 { result[lane] = 0.5 * (1 + erff(x[lane] * 0.707_106_77)) }
        return result
    }
}
