import Kernels

/// The triangular factor of a covariance.
public enum CovarianceFactor {
    /// L⁻¹ for A = L Lᵀ, lower triangular, row-major as `matrix`, `[size, size]`; nil if A is not positive definite.
    ///
    /// With a covariance for A, |L⁻¹(x - mean)| is the Mahalanobis distance.
    ///
    /// - Precondition: `matrix` has `size * size` elements.
    public static func inverse(of matrix: [Double], size: Int) -> [Double]? {
        precondition(size > 0 && matrix.count == size * size, "\(matrix.count) elements for \(size) x \(size)")
        return Cholesky.inverseFactor(of: matrix, size: size)
    }
}
