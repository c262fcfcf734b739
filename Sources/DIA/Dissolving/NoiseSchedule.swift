import Glibc
public import ModelFile

/// The noise schedule of the diffusion process and the factors derived from it (method, sections 1 and 2).
public struct NoiseSchedule: Sendable, Hashable {
    /// The growth of beta with t.
    public typealias Kind = ModelManifest.BetaSchedule

    /// beta_t for t in `0..<timesteps`.
    public let betas: [Double]
    /// abar_t, the cumulative product of 1 - beta.
    public let alphasCumulative: [Double]

    /// Creates a schedule of `timesteps` steps, at least 2.
    public init(_ kind: Kind, timesteps: Int) {
        precondition(timesteps >= 2, "a schedule needs at least 2 steps, not \(timesteps)")
        switch kind {
        case .cosine:
            func bar(_ t: Int) -> Double {
                let angle = (Double(t) / Double(timesteps) + 0.008) / 1.008 * .pi * 0.5
                return cos(angle) * cos(angle) / start
            }
            let start = pow(cos(0.008 / 1.008 * .pi * 0.5), 2)
            betas = (0..<timesteps).map { min(max(1 - bar($0 + 1) / bar($0), 0), 0.999) }
        case .linear:
            let scale = 1000 / Double(timesteps)
            let (first, last) = (scale * 0.0001, scale * 0.02)
            betas = (0..<timesteps).map { first + (last - first) * Double($0) / Double(timesteps - 1) }
        }
        var product = 1.0
        alphasCumulative = betas.map {
            product *= 1 - $0
            return product
        }
    }

    /// The number of steps.
    public var timesteps: Int { betas.count }

    /// Dissolves `x` at step `t`: clamp(sqrt(1/abar_t) x - sqrt(1/abar_t - 1) eps) (method, section 2).
    public func dissolve(_ x: ArraySlice<Float>, predictedNoise: ArraySlice<Float>, at t: Int) -> [Float] {
        let (scale, noise) = reverseFactors(at: t)
        return zip(x, predictedNoise).map { min(max(scale * $0 - noise * $1, -1), 1) }
    }

    /// Returns sqrt(1/abar_t) and sqrt(1/abar_t - 1).
    func reverseFactors(at t: Int) -> (image: Float, noise: Float) {
        let inverse = 1 / alphasCumulative[t]
        return (Float(inverse.squareRoot()), Float((inverse - 1).squareRoot()))
    }

    /// Adds noise to `x` for training at step `t`: sqrt(abar_t) x + sqrt(1 - abar_t) noise.
    public func diffuse(_ x: ArraySlice<Float>, noise: ArraySlice<Float>, at t: Int) -> [Float] {
        let (image, mixed) = (Float(alphasCumulative[t].squareRoot()), Float((1 - alphasCumulative[t]).squareRoot()))
        return zip(x, noise).map { image * $0 + mixed * $1 }
    }
}
