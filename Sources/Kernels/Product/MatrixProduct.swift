import CBLAS

/// Matrix products with CBLAS, for factors that are used once: attention, losses, banks.
public enum MatrixProduct {
    /// A factor of a product, and how it is stored.
    public struct Factor {
        fileprivate let values: Floats
        fileprivate let isTransposed: Bool
        fileprivate let stride: Int

        /// Returns a factor that is stored row by row, with rows `stride` floats apart.
        @inline(__always)
        public static func plain(_ values: Floats, stride: Int) -> Factor {
            Factor(values: values, isTransposed: false, stride: stride)
        }

        /// Returns the transpose of a matrix that is stored row by row, with rows `stride` floats apart.
        @inline(__always)
        public static func transposed(_ values: Floats, stride: Int) -> Factor {
            Factor(values: values, isTransposed: true, stride: stride)
        }
    }

    /// Makes BLAS compute each product on the calling thread, because ``ThreadPool`` distributes the work.
    static func keepToCallingThread() { _ = oneThread }
    private static let oneThread: Void = openblas_set_num_threads(1)

    /// Computes C = A·B (`cblas_sgemm`).
    ///
    /// Shapes: `a` is `[rows, inner]`, `b` is `[inner, columns]`, and `c` is `[rows, columns]`, stored row by row with
    /// rows `stride` floats apart.
    @inline(__always)
    public static func multiply(
        _ a: Factor,
        _ b: Factor,
        rows: Int,
        columns: Int,
        inner: Int,
        into c: MutableFloats,
        stride: Int
    ) {
        cblas_sgemm(
            CblasRowMajor,
            a.isTransposed ? CblasTrans : CblasNoTrans,
            b.isTransposed ? CblasTrans : CblasNoTrans,
            blasint(rows),
            blasint(columns),
            blasint(inner),
            1,
            a.values,
            blasint(a.stride),
            b.values,
            blasint(b.stride),
            0,
            c,
            blasint(stride)
        )
    }
}
