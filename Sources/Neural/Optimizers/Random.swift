import Glibc

/// SplitMix64 (Steele, Lea and Flood, 2014): small, fast, its whole state one number, so that a checkpoint can hold
/// it.
///
/// Not for secrets.
public struct SplitMix64: RandomNumberGenerator, Sendable, Hashable {
    /// The state; two generators with the same state give the same numbers.
    public var state: UInt64

    /// A generator that starts from `seed`.
    public init(seed: UInt64) { state = seed }

    /// A generator for one purpose among many that share a seed: different `stream`s are unrelated.
    public init(seed: UInt64, stream: UInt64) {
        var mixer = SplitMix64(seed: seed &+ 0x632B_E59B_D9B4_E019 &* (stream &+ 1))
        state = mixer.next()
    }

    /// The next 64 bits.
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
    /// One number, by Box and Muller's transform.
    public static func next(using generator: inout some RandomNumberGenerator) -> Float {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        return Float(radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator)))
    }

    /// `count` numbers; both of each pair of Box and Muller's transform are used.
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
