import Glibc

/// The pseudorandom number generator SplitMix64 (Steele, Lea and Flood, 2014).
///
/// It is small and fast, and its state is a single number, which a checkpoint can store. It is not
/// cryptographically secure.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
    /// The state; two generators with the same state produce the same numbers.
    public var state: UInt64

    /// Creates a generator from `seed`.
    public init(seed: UInt64) { state = seed }

    /// Creates one of several independent generators with the same seed, selected by `stream`.
    public init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: seed &+ 0x632B_E59B_D9B4_E019 &* (stream &+ 1))
        state = mixer.next()
    }

    /// Returns the next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// The standard normal distribution.
public enum Normal {
    /// Returns one number, generated with the Box-Muller transform.
    public static func next(using generator: inout some RandomNumberGenerator) -> Float {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
    }

    /// Returns `count` numbers; both numbers of each Box-Muller pair are used.
    public static func array(count: Int, using generator: inout some RandomNumberGenerator) -> [Float] {
        var result = [Float](repeating: 0, count: count)
        for index in stride(from: 0, to: count, by: 2) {
            let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
            let angle = 2 * Double.pi * Double.random(in: 0..<1, using: &generator)
            result[index] = Float(radius * cos(angle))
            if index + 1 < count { result[index + 1] = Float(radius * sin(angle)) }
        }
        return result
    }
}
