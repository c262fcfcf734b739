import CBLAS

/// Matrix products through CBLAS, for factors that are used once: attention, losses, banks.
public enum MatrixProduct {
    /// Whether a factor is taken as stored or transposed.
    public enum Order {
        /// As stored.
        case plain
        /// Transposed.
        case transposed
    }

    /// Tells BLAS to compute each product on the thread that calls it: ``ThreadPool`` spread the work.
    static func keepToCallingThread() { _ = oneThread }
    private static let oneThread: Void = openblas_set_num_threads(1)

    /// C = A·B + beta·C, all row-major (`cblas_sgemm`).
    ///
    /// Shapes: `a` is `[rows, inner]` (stored `[inner, rows]` when transposed), `b` is `[inner, columns]`
    /// (stored `[columns, inner]` when transposed), `c` is `[rows, columns]`; `lda`, `ldb`, `ldc` are the
    /// floats between the starts of two stored rows.
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
