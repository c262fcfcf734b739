import Glibc
import Neural

/// A normal distribution of training features with its mean and covariance.
struct FeatureDensity: Sendable {
    /// The mean `[size]`.
    let mean: [Float]
    /// L⁻¹ for the covariance matrix L Lᵀ, lower triangular, `[size, size]`.
    let whitening: [Float]

    /// Creates a distribution from stored values.
    init(mean: [Float], whitening: [Float]) {
        precondition(whitening.count == mean.count * mean.count, "the covariance does not match the mean")
        self.mean = mean
        self.whitening = whitening
    }

    /// The shrinkage of the covariance matrix toward a multiple of the identity (Ledoit and Wolf, 2004).
    ///
    /// It keeps the matrix positive definite if there are fewer training images than features.
    private static let shrinkage = 0.1

    /// Creates the distribution of `vectors`, at least two; nil if all are equal.
    ///
    /// `floor` is added to each variance: smaller differences are never unusual. The mean square of `differences`, each
    /// between two images of the same content, is added to the covariance with the factor `weight`: such differences are
    /// less unusual.
    init?(of vectors: [[Float]], differences: [[Float]] = [], weight: Double = 0, floor: Double = 0) {
        precondition(vectors.count > 1, "a covariance needs at least 2 images, not \(vectors.count)")
        let (count, size) = (vectors.count, vectors[0].count)
        var mean = [Double](repeating: 0, count: size)
        for vector in vectors {
            for index in 0..<size { mean[index] += Double(vector[index]) / Double(count) }
        }
        let centered = vectors.flatMap { vector in (0..<size).map { Float(Double(vector[$0]) - mean[$0]) } }
        var covariance = Self.products(of: centered, size: size).map { $0 / Double(count - 1) }
        if weight > 0, !differences.isEmpty {
            let variation = Self.products(of: differences.flatMap { $0 }, size: size)
            for index in covariance.indices {
                covariance[index] += weight / Double(differences.count) * variation[index]
            }
        }
        let variance = (0..<size).reduce(0) { $0 + covariance[$1 * size + $1] } / Double(size)
        for index in covariance.indices { covariance[index] *= 1 - Self.shrinkage }
        for index in 0..<size { covariance[index * size + index] += Self.shrinkage * variance + floor }
        guard let whitening = CovarianceFactor.inverse(of: covariance, size: size) else { return nil }
        self.init(mean: mean.map { Float($0) }, whitening: whitening.map { Float($0) })
    }

    /// The sum of the outer products of the rows of `rows`, which is `[count, size]`, with themselves.
    private static func products(of rows: [Float], size: Int) -> [Double] {
        var products = [Float](repeating: 0, count: size * size)
        DenseMatrix.multiply(
            .transposed(rows),
            .plain(rows),
            rows: size,
            columns: size,
            inner: rows.count / size,
            into: &products
        )
        return products.map { Double($0) }
    }

    /// Returns Wᵀ W (vector - mean), where W is the whitening: half the gradient of the squared Mahalanobis distance.
    func gradient(_ vector: [Float]) -> [Double] {
        let size = mean.count
        let whitened = DenseMatrix.multiply(whitening, by: zip(vector, mean).map { $0 - $1 })
        return (0..<size).map { column in
            (column..<size).reduce(0) { $0 + Double(whitening[$1 * size + column]) * Double(whitened[$1]) }
        }
    }

    /// The density of `vector` as the negative log of its Mahalanobis distance: higher is denser.
    func density(_ vector: [Float]) -> Double {
        let whitened = DenseMatrix.multiply(whitening, by: zip(vector, mean).map { $0 - $1 })
        return -0.5 * log(max(Double(whitened.reduce(0) { $0 + $1 * $1 }), 1e-12))
    }
}
