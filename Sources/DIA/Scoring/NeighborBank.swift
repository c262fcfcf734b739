import Glibc
import Neural

/// Features of training images, to find the nearest by cosine.
struct NeighborBank: Sendable {
    /// Unit vectors, `[entries, size]`.
    let axes: [Float]
    /// The length of a vector.
    let size: Int

    /// The training images held.
    var entries: Int { axes.count / size }

    /// A bank of `vectors`, all of one length, at least one.
    init(_ vectors: [[Float]]) {
        precondition(!vectors.isEmpty && !vectors[0].isEmpty, "a bank of no images")
        size = vectors[0].count
        axes = vectors.flatMap { Self.unit($0) }
    }

    /// A stored bank: what half precision did to the vectors' lengths is mended.
    init(stored axes: [Float], size: Int) {
        self.init(stride(from: 0, to: axes.count, by: size).map { Array(axes[$0..<$0 + size]) })
    }

    /// -log of the distance to the nearest entry but `excluded`: higher is nearer.
    ///
    /// The distance of unit vectors, sqrt(2 - 2 cos); below 0.001, where rounding rules, all are as near.
    func nearness(_ vector: [Float], excluding excluded: Int? = nil) -> Double {
        var cosines = DenseMatrix.multiply(axes, by: Self.unit(vector))
        if let excluded { cosines[excluded] = -1 }
        return -0.5 * log(max(Double(2 - 2 * (cosines.max() ?? 0)), 1e-6))
    }

    private static func unit(_ vector: [Float]) -> [Float] {
        let norm = max(vector.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
        return vector.map { $0 / norm }
    }
}
