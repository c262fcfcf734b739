import CBLAS

/// The Cholesky factor of a covariance matrix, computed with LAPACK.
public enum Cholesky {
    /// Returns L⁻¹ for A = L Lᵀ, lower triangular and row-major like `matrix`, `[size, size]`; nil if A is not positive
    /// definite (`dpotrf`, `dtrtri`).
    ///
    /// If A is a covariance matrix, |L⁻¹(x - mean)| is the Mahalanobis distance.
    public static func inverseFactor(of matrix: [Double], size: Int) -> [Double]? {
        precondition(size > 0 && matrix.count == size * size, "not a square matrix of \(size) rows")
        var result = matrix
        var (order, status) = (Int32(size), Int32(0))
        // LAPACK is column-major, so its upper triangle is the lower triangle here.
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
