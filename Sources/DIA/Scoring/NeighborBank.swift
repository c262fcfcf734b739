import Glibc
import Neural

/// A bank of features of training images for nearest-neighbor search by cosine.
struct NeighborBank: Sendable {
    /// Unit vectors, `[entries, size]`.
    let axes: [Float]
    /// The length of a vector.
    let size: Int

    /// The number of training images in the bank.
    var entries: Int { axes.count / size }

    /// Creates a bank of `vectors`, at least one, all of the same length.
    init(_ vectors: [[Float]]) {
        precondition(!vectors.isEmpty && !vectors[0].isEmpty, "the bank is empty")
        size = vectors[0].count
        axes = vectors.flatMap { Self.unit($0) }
    }

    /// Creates a bank from stored vectors and normalizes them again, because half precision changes their lengths.
    init(stored axes: [Float], size: Int) {
        self.init(stride(from: 0, to: axes.count, by: size).map { Array(axes[$0..<$0 + size]) })
    }

    /// The negative log of the distance to the nearest entry other than `excluded`: higher is nearer.
    ///
    /// The distance of unit vectors is sqrt(2 - 2 cos). Distances below 0.001, where rounding errors dominate, count as
    /// 0.001.
    func negativeLogDistance(_ vector: [Float], excluding excluded: Int? = nil) -> Double {
        var cosines = DenseMatrix.multiply(axes, by: Self.unit(vector))
        if let excluded { cosines[excluded] = -1 }
        return -0.5 * log(max(Double(2 - 2 * (cosines.max() ?? 0)), 1e-6))
    }

    private static func unit(_ vector: [Float]) -> [Float] {
        let norm = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
        return vector.map { $0 / norm }
    }
}
