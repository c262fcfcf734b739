import CBLAS

/// The triangular factor of a covariance, through LAPACK.
public enum Cholesky {
    /// L⁻¹ for A = L Lᵀ, lower triangular, row-major as `matrix`, `[size, size]`; nil if A is not positive
    /// definite (`dpotrf`, `dtrtri`).
    ///
    /// With a covariance for A, |L⁻¹(x - mean)| is the Mahalanobis distance.
    public static func inverseFactor(of matrix: [Double], size: Int) -> [Double]? {
        precondition(size > 0 && matrix.count == size * size, "no square matrix of \(size) rows")
        var result = matrix
        var (order, status) = (Int32(size), Int32(0))
        // LAPACK counts by columns, so its upper triangle is our lower one.
        dpotrf_("U", &order, &result, &order, &status)
        guard status == 0 else { return nil }
        dtrtri_("U", "N", &order, &result, &order, &status)
        guard status == 0 else { return nil }
        for row in 0..<size {
            for column in (row + 1)..<size { result[row * size + column] = 0 }
        }
        return result
    }
}
