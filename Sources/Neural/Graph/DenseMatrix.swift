import Kernels

/// Products of matrices that are stored in arrays, for losses and scores.
public enum DenseMatrix {
    /// A row-major factor of a product, as it is or transposed.
    public enum Factor {
        /// The matrix itself.
        case plain([Float])
        /// The transpose of the matrix.
        case transposed([Float])

        fileprivate var values: [Float] {
            switch self {
            case .plain(let values), .transposed(let values): values
            }
        }

        /// The factor for a product; `rows` and `columns` are those of the factor, not of the stored matrix.
        fileprivate func factor(_ values: Floats, rows: Int, columns: Int) -> MatrixProduct.Factor {
            switch self {
            case .plain: .plain(values, stride: columns)
            case .transposed: .transposed(values, stride: rows)
            }
        }
    }

    /// Returns the product of `matrix`, row-major with rows as long as `vector`, and `vector`: one number per row.
    public static func multiply(_ matrix: [Float], by vector: [Float]) -> [Float] {
        let rows = matrix.count / vector.count
        var result = [Float](repeating: 0, count: rows)
        multiply(.plain(matrix), .plain(vector), rows: rows, columns: 1, inner: vector.count, into: &result)
        return result
    }

    /// Computes target = a·b, row-major: `[rows, inner] x [inner, columns]`.
    public static func multiply(
        _ a: Factor,
        _ b: Factor,
        rows: Int,
        columns: Int,
        inner: Int,
        into target: inout [Float]
    ) {
        precondition(
            a.values.count == rows * inner && b.values.count == inner * columns && target.count == rows * columns,
            "factors have \(a.values.count) and \(b.values.count) numbers, expected \(rows)x\(inner)x\(columns)"
        )
        target.withUnsafeMutableBufferPointer { target in
            a.values.withUnsafeBufferPointer { left in
                b.values.withUnsafeBufferPointer { right in
                    guard let left = left.baseAddress, let right = right.baseAddress, let c = target.baseAddress else {
                        return
                    }
                    MatrixProduct.multiply(
                        a.factor(left, rows: rows, columns: inner),
                        b.factor(right, rows: inner, columns: columns),
                        rows: rows,
                        columns: columns,
                        inner: inner,
                        into: c,
                        stride: columns
                    )
                }
            }
        }
    }
}
