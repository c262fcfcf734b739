import Kernels

/// Products of matrices that are stored in arrays, for losses and scores.
public enum DenseMatrix {
    /// Returns the product of `matrix`, row-major with rows as long as `vector`, and `vector`: one number per row.
    public static func multiply(_ matrix: [Float], by vector: [Float]) -> [Float] {
        var result = [Float](repeating: 0, count: matrix.count / vector.count)
        let rows = result.count
        multiply(matrix, transposed: false, vector, transposed: false, rows, 1, vector.count, into: &result)
        return result
    }

    /// Computes target = a·b, row-major: `[rows, inner] x [inner, columns]`.
    ///
    /// A transposed factor is stored with its rows and columns exchanged.
    public static func multiply(
        _ a: [Float],
        transposed transposedA: Bool,
        _ b: [Float],
        transposed transposedB: Bool,
        _ rows: Int,
        _ columns: Int,
        _ inner: Int,
        into target: inout [Float]
    ) {
        precondition(
            a.count == rows * inner && b.count == inner * columns && target.count == rows * columns,
            "factors have \(a.count) and \(b.count) numbers, expected \(rows)x\(inner)x\(columns)"
        )
        target.withUnsafeMutableBufferPointer { target in
            a.withUnsafeBufferPointer { a in
                b.withUnsafeBufferPointer { b in
                    guard let a = a.baseAddress, let b = b.baseAddress, let c = target.baseAddress else { return }
                    MatrixProduct.multiply(
                        rows: rows,
                        columns: columns,
                        inner: inner,
                        a: a,
                        transposedA ? .transposed : .plain,
                        lda: transposedA ? rows : inner,
                        b: b,
                        transposedB ? .transposed : .plain,
                        ldb: transposedB ? inner : columns,
                        c: c,
                        ldc: columns
                    )
                }
            }
        }
    }
}
