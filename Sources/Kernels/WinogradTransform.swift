/// The one-dimensional transforms of Winograd's F(4, 3) with interpolation points 0, 1, -1, 2, -2, ∞
/// (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016).
///
/// A 4x4 tile of the output is y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A for the 3x3 filter g and the 6x6 patch d.
enum WinogradTransform {
    typealias Four = (Vector, Vector, Vector, Vector)
    typealias Six = (Vector, Vector, Vector, Vector, Vector, Vector)

    /// Bᵀ d.
    @inline(__always)
    static func input(_ d: Six) -> Six {
        let even = d.4 - 4 * d.2
        let odd = d.3 - 4 * d.1
        let evenTwo = d.4 - d.2
        let oddTwo = 2 * (d.3 - d.1)
        return (
            4 * d.0 - 5 * d.2 + d.4,
            even + odd,
            even - odd,
            evenTwo + oddTwo,
            evenTwo - oddTwo,
            4 * d.1 - 5 * d.3 + d.5
        )
    }

    /// Aᵀ m.
    @inline(__always)
    static func output(_ m: Six) -> Four {
        let sumOne = m.1 + m.2
        let differenceOne = m.1 - m.2
        let sumTwo = m.3 + m.4
        let differenceTwo = m.3 - m.4
        return (
            m.0 + sumOne + sumTwo,
            differenceOne + 2 * differenceTwo,
            sumOne + 4 * sumTwo,
            differenceOne + 8 * differenceTwo + m.5
        )
    }

    /// A y, the transpose of ``output(_:)``: a tile of the output's gradient in the Winograd domain.
    @inline(__always)
    static func outputGradient(_ y: Four) -> Six {
        let evenOne = y.0 + y.2
        let oddOne = y.1 + y.3
        let evenTwo = y.0 + 4 * y.2
        let oddTwo = 2 * y.1 + 8 * y.3
        return (y.0, evenOne + oddOne, evenOne - oddOne, evenTwo + oddTwo, evenTwo - oddTwo, y.3)
    }

    /// G g, for one filter.
    @inline(__always)
    static func filter(_ g: (Float, Float, Float)) -> (Float, Float, Float, Float, Float, Float) {
        let ends = g.0 + g.2
        let wide = g.0 + 4 * g.2
        return (
            g.0 / 4,
            -(ends + g.1) / 6,
            -(ends - g.1) / 6,
            (wide + 2 * g.1) / 24,
            (wide - 2 * g.1) / 24,
            g.2
        )
    }

    /// Gᵀ u, the transpose of ``filter(_:)``.
    @inline(__always)
    static func filterGradient(_ u: (Float, Float, Float, Float, Float, Float)) -> (Float, Float, Float) {
        let sumOne = u.1 + u.2
        let differenceOne = u.1 - u.2
        let sumTwo = u.3 + u.4
        let differenceTwo = u.3 - u.4
        return (
            u.0 / 4 - sumOne / 6 + sumTwo / 24,
            -differenceOne / 6 + differenceTwo / 12,
            -sumOne / 6 + sumTwo / 6 + u.5
        )
    }
}
