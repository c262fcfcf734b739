import Kernels

/// The Cholesky factor of a covariance matrix.
public enum CovarianceFactor {
    /// Returns L⁻¹ for A = L Lᵀ, lower triangular and row-major like `matrix`, `[size, size]`; nil if A is not positive
    /// definite.
    ///
    /// If A is a covariance matrix, |L⁻¹(x - mean)| is the Mahalanobis distance.
    ///
    /// - Precondition: `matrix` has `size * size` elements.
    public static func inverse(of matrix: [Double], size: Int) -> [Double]? {
        precondition(size > 0 && matrix.count == size * size, "\(matrix.count) elements for \(size) x \(size)")
        return Cholesky.inverseFactor(of: matrix, size: size)
    }
}
