import CBLAS

/// Matrix products with CBLAS, for factors that are used once: attention, losses, banks.
public enum MatrixProduct {
    /// Whether a factor is read as stored or transposed.
    public enum Order {
        /// As stored.
        case plain
        /// Transposed.
        case transposed
    }

    /// Makes BLAS compute each product on the calling thread, because ``ThreadPool`` distributes the work.
    static func keepToCallingThread() { _ = oneThread }
    private static let oneThread: Void = openblas_set_num_threads(1)

    /// Computes C = A·B + beta·C, all row-major (`cblas_sgemm`).
    ///
    /// Shapes: `a` is `[rows, inner]` (stored as `[inner, rows]` when transposed), `b` is `[inner, columns]`
    /// (stored as `[columns, inner]` when transposed), and `c` is `[rows, columns]`. `lda`, `ldb` and `ldc` are the
    /// strides between stored rows, in floats.
    @inline(__always)
    public static func multiply(
        rows: Int,
        columns: Int,
        inner: Int,
        a: Floats,
        _ orderA: Order = .plain,
        lda: Int,
        b: Floats,
        _ orderB: Order = .plain,
        ldb: Int,
        beta: Float = 0,
        c: MutableFloats,
        ldc: Int
    ) {
        cblas_sgemm(
            CblasRowMajor,
            orderA == .plain ? CblasNoTrans : CblasTrans,
            orderB == .plain ? CblasNoTrans : CblasTrans,
            blasint(rows),
            blasint(columns),
            blasint(inner),
            1,
            a,
            blasint(lda),
            b,
            blasint(ldb),
            beta,
            c,
            blasint(ldc)
        )
    }
}
