import Glibc

/// The contrastive loss of a training step (method, section 3).
///
/// The loss is computed on normalized projections in three chunks: two chunks of plain images and one of dissolved
/// images.
public struct ContrastiveLoss: Sendable {
    /// The pairs that are excluded from the sums, in addition to the pair of an image with itself.
    public enum Mask: String, Sendable, Hashable, Codable {
        /// Pairs of a dissolved image and the same image and shift in the two plain chunks: the paper's default.
        case shiftedRemoved = "shifted_removed"
        /// None.
        case naive
    }

    /// The temperature τ; similarities are divided by it.
    public let temperature: Float
    /// The pairs that are excluded.
    public let mask: Mask

    /// Creates a loss; the paper's temperature is 0.5.
    public init(temperature: Float, mask: Mask) {
        self.temperature = temperature
        self.mask = mask
    }

    /// Returns the loss and its gradient with respect to the projections before normalization.
    ///
    /// `projections` is `[3 * group, size]`, chunk by chunk, where `group` = images * shifts; without a dissolved chunk
    /// it is `[2 * group, size]`. The loss is l(i, j) = -log(exp(z_i·z_j / τ) / Σ_k exp(z_i·z_k / τ)), summed over the
    /// positive pairs (i, i + group) in both directions and divided by the number of rows.
    public func callAsFunction(_ projections: [Float], size: Int, group: Int) -> (loss: Float, gradient: [Float]) {
        let rows = projections.count / size
        precondition(rows * size == projections.count && (rows == 3 * group || rows == 2 * group), "invalid chunk size")
        var norms = [Float](repeating: 0, count: rows)
        var unit = projections
        for row in 0..<rows {
            var squares: Float = 0
            for index in row * size..<(row + 1) * size { squares += projections[index] * projections[index] }
            norms[row] = max(squares.squareRoot(), 1e-12)
            for index in row * size..<(row + 1) * size { unit[index] /= norms[row] }
        }
        var similarity = [Float](repeating: 0, count: rows * rows)
        DenseMatrix.multiply(
            .plain(unit),
            .transposed(unit),
            rows: rows,
            columns: rows,
            inner: size,
            into: &similarity
        )
        var loss = 0.0
        // ∂loss/∂(z_i·z_k): only the rows of the two plain chunks have a positive pair.
        var slope = [Float](repeating: 0, count: rows * rows)
        for row in 0..<2 * group {
            let positive = row < group ? row + group : row - group
            let logits = row * rows..<(row + 1) * rows
            let included = logits.map { isIncluded(row, $0 - row * rows, group) }
            let peak = zip(logits, included).reduce(-Float.infinity) { $1.1 ? max($0, similarity[$1.0]) : $0 }
            var sum = 0.0
            for (column, index) in logits.enumerated() where included[column] {
                sum += Double(expf((similarity[index] - peak) / temperature))
            }
            loss += log(sum) - Double((similarity[row * rows + positive] - peak) / temperature)
            let scale = 1 / (temperature * Float(rows))
            for (column, index) in logits.enumerated() where included[column] {
                let weight = Float(Double(expf((similarity[index] - peak) / temperature)) / sum)
                slope[index] = (weight - (column == positive ? 1 : 0)) * scale
            }
        }
        // S = Z Zᵀ, so ∂loss/∂Z = (slope + slopeᵀ) Z.
        var symmetric = slope
        for row in 0..<rows {
            for column in 0..<rows { symmetric[row * rows + column] += slope[column * rows + row] }
        }
        var gradient = [Float](repeating: 0, count: projections.count)
        DenseMatrix.multiply(
            .plain(symmetric),
            .plain(unit),
            rows: rows,
            columns: size,
            inner: rows,
            into: &gradient
        )
        for row in 0..<rows {
            let range = row * size..<(row + 1) * size
            var dot: Float = 0
            for index in range { dot += gradient[index] * unit[index] }
            for index in range { gradient[index] = (gradient[index] - unit[index] * dot) / norms[row] }
        }
        return (Float(loss / Double(rows)), gradient)
    }

    private func isIncluded(_ row: Int, _ column: Int, _ group: Int) -> Bool {
        guard row != column else { return false }
        guard mask == .shiftedRemoved else { return true }
        let (rowChunk, columnChunk) = (row / group, column / group)
        let crossesDissolved = (rowChunk == 2) != (columnChunk == 2)
        return !(crossesDissolved && row % group == column % group)
    }
}
