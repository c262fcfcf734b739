/// Sums over the rows of a matrix: gradients of biases and gains.
public enum ColumnSums {
    private static let block = 1024

    /// Adds the sum over rows of `matrix` `[rows, columns]` to `target` `[columns]`.
    ///
    /// Summed in blocks of rows, the blocks added in order, so the result does not depend on threads.
    public static func add(_ matrix: Floats, rows: Int, columns: Int, to target: MutableFloats, _ workers: Workers) {
        let blocks = (rows + block - 1) / block
        let partial = FloatBuffer(count: blocks * columns)
        workers.run(over: rows, by: block) { range, _ in
            let sums = partial.pointer + range.lowerBound / block * columns
            for row in range {
                let source = matrix + row * columns
                for column in 0..<columns { sums[column] += source[column] }
            }
        }
        for index in 0..<blocks {
            for column in 0..<columns { target[column] += partial.pointer[index * columns + column] }
        }
    }
}
