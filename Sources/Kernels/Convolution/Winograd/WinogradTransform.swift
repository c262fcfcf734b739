/// The one-dimensional transforms of a fast convolution with three taps, which computes m outputs with fewer than
/// 3 m multiplications.
///
/// This is Winograd's F(m, 3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2016). A tile
/// of m x m outputs is y = Aᵀ[(G g Gᵀ) ⊙ (Bᵀ d B)]A for the 3x3 filter g and the patch d. Each function reads its
/// operand by index and passes its results on by index.
protocol WinogradTransform {
    /// m, the side of a tile.
    static var tile: Int { get }
    /// The side of a patch: the number of inputs for m outputs.
    static var patch: Int { get }
    /// The number of multiplications for m outputs.
    static var points: Int { get }
    /// The stride between outputs, in inputs.
    static var stride: Int { get }
    /// Computes Bᵀ d: `patch` numbers to `points` numbers.
    static func input(_ d: (Int) -> Vector, _ result: (Int, Vector) -> Void)
    /// Computes Aᵀ m: `points` numbers to `tile` numbers.
    static func output(_ m: (Int) -> Vector, _ result: (Int, Vector) -> Void)
    /// Computes G g: three numbers to `points` numbers, for eight filters at a time.
    static func filter(_ g: (Int) -> Vector, _ result: (Int, Vector) -> Void)
}

/// A transform that also supports weight gradients.
protocol WinogradGradientTransform: WinogradTransform {
    /// Computes A y, the transpose of ``WinogradTransform/output(_:_:)``: transforms a tile of the output gradient
    /// into the Winograd domain.
    static func outputGradient(_ y: (Int) -> Vector, _ result: (Int, Vector) -> Void)
    /// Computes Gᵀ u, the transpose of ``WinogradTransform/filter(_:_:)``.
    static func filterGradient(_ u: (Int) -> Vector, _ result: (Int, Vector) -> Void)
}

extension WinogradTransform {
    /// The number of frequencies in the Winograd domain.
    @inline(__always)
    static var frequencies: Int { points * points }
}

extension WinogradGradientTransform {
    @inline(__always)
    static var patch: Int { tile + 2 }
    @inline(__always)
    static var points: Int { tile + 2 }
    @inline(__always)
    static var stride: Int { 1 }
}

/// F(2, 3) with the interpolation points 0, 1, -1, ∞: 2.25 times fewer multiplications in two dimensions.
enum WinogradF2: WinogradGradientTransform {
    @inline(__always)
    static var tile: Int { 2 }

    @inline(__always)
    static func input(_ d: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (d0, d1, d2, d3) = (d(0), d(1), d(2), d(3))
        result(0, d0 - d2)
        result(1, d1 + d2)
        result(2, d2 - d1)
        result(3, d1 - d3)
    }

    @inline(__always)
    static func output(_ m: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (m1, m2) = (m(1), m(2))
        result(0, m(0) + m1 + m2)
        result(1, m1 - m2 - m(3))
    }

    @inline(__always)
    static func outputGradient(_ y: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (y0, y1) = (y(0), y(1))
        result(0, y0)
        result(1, y0 + y1)
        result(2, y0 - y1)
        result(3, -y1)
    }

    @inline(__always)
    static func filter(_ g: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        result(0, g0)
        result(1, (g0 + g2 + g1) * 0.5)
        result(2, (g0 + g2 - g1) * 0.5)
        result(3, g2)
    }

    @inline(__always)
    static func filterGradient(_ u: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (u1, u2) = (u(1), u(2))
        let half = (u1 + u2) * 0.5
        result(0, u(0) + half)
        result(1, (u1 - u2) * 0.5)
        result(2, half + u(3))
    }
}

/// F(4, 3) with the interpolation points 0, 1, -1, 2, -2, ∞: 4 times fewer multiplications in two dimensions.
enum WinogradF4: WinogradGradientTransform {
    @inline(__always)
    static var tile: Int { 4 }

    @inline(__always)
    static func input(_ d: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (d0, d1, d2, d3, d4, d5) = (d(0), d(1), d(2), d(3), d(4), d(5))
        let (even, odd) = (fused(-4, d2, d4), fused(-4, d1, d3))
        let (evenTwo, oddTwo) = (d4 - d2, d3 - d1)
        result(0, fused(4, d0, fused(-5, d2, d4)))
        result(1, even + odd)
        result(2, even - odd)
        result(3, fused(2, oddTwo, evenTwo))
        result(4, fused(-2, oddTwo, evenTwo))
        result(5, fused(4, d1, fused(-5, d3, d5)))
    }

    @inline(__always)
    static func output(_ m: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (m1, m2, m3, m4) = (m(1), m(2), m(3), m(4))
        let (sumOne, differenceOne) = (m1 + m2, m1 - m2)
        let (sumTwo, differenceTwo) = (m3 + m4, m3 - m4)
        result(0, m(0) + sumOne + sumTwo)
        result(1, fused(2, differenceTwo, differenceOne))
        result(2, fused(4, sumTwo, sumOne))
        result(3, fused(8, differenceTwo, differenceOne) + m(5))
    }

    @inline(__always)
    static func outputGradient(_ y: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (y0, y1, y2, y3) = (y(0), y(1), y(2), y(3))
        let (evenOne, oddOne) = (y0 + y2, y1 + y3)
        let evenTwo = fused(4, y2, y0)
        let oddTwo = fused(8, y3, y1 + y1)
        result(0, y0)
        result(1, evenOne + oddOne)
        result(2, evenOne - oddOne)
        result(3, evenTwo + oddTwo)
        result(4, evenTwo - oddTwo)
        result(5, y3)
    }

    @inline(__always)
    static func filter(_ g: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (g0, g1, g2) = (g(0), g(1), g(2))
        let ends = g0 + g2
        let wide = fused(4, g2, g0)
        result(0, g0 * 0.25)
        result(1, (ends + g1) * (-1 / 6))
        result(2, (ends - g1) * (-1 / 6))
        result(3, fused(2, g1, wide) * (1 / 24))
        result(4, fused(-2, g1, wide) * (1 / 24))
        result(5, g2)
    }

    @inline(__always)
    static func filterGradient(_ u: (Int) -> Vector, _ result: (Int, Vector) -> Void) {
        let (u1, u2, u3, u4) = (u(1), u(2), u(3), u(4))
        let (sumOne, differenceOne) = ((u1 + u2) * (1 / 6), (u1 - u2) * (1 / 6))
        let (sumTwo, differenceTwo) = ((u3 + u4) * (1 / 24), (u3 - u4) * (1 / 12))
        result(0, fused(0.25, u(0), sumTwo) - sumOne)
        result(1, differenceTwo - differenceOne)
        result(2, fused(4, sumTwo, u(5)) - sumOne)
    }
}
