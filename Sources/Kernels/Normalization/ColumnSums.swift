/// Sums over the rows of a matrix, for the gradients of biases and gains.
public enum ColumnSums {
    private static let block = 1024

    /// Adds the sum over the rows of `matrix` `[rows, columns]` to `target` `[columns]`.
    ///
    /// The rows are summed in blocks and the block sums are added in order, so the result does not depend on the
    /// number of threads.
    public static func add(_ matrix: Floats, rows: Int, columns: Int, to target: MutableFloats, _ workers: ThreadPool) {
        let blocks = (rows + block - 1) / block
        let partial = workers.sharedScratch(blocks * columns)
        workers.run(over: rows, by: block) { range, _ in
            let sums = partial + range.lowerBound / block * columns
            sums.update(repeating: 0, count: columns)
            for row in range {
                let source = matrix + row * columns
                forEachVector(columns) { start, lanes in
                    store(load(sums + start, lanes) + load(source + start, lanes), sums + start, lanes)
                }
            }
        }
        for index in 0..<blocks {
            for column in 0..<columns { target[column] += partial[index * columns + column] }
        }
    }
}
