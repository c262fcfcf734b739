import Neural

/// The CSI score of an image against a bank of training features (method, section 4).
///
///     normality(x) = (1/K) Σ_k ( w_sim[k] max_m f_k · a_{m,k} + w_shift[k] s_k[k] )
public struct CSIScore: Sendable {
    /// The normality of one image, and its terms.
    public struct Result: Sendable, Hashable {
        /// Higher is more normal.
        public var normality: Double
        /// For each shift, w_sim[k] max_m f_k · a_{m,k}.
        public var contrastive: [Double]
        /// For each shift, w_shift[k] s_k[k].
        public var shift: [Double]
    }

    /// The number of training images in the bank, M.
    public let entries: Int
    /// The length of a projection.
    public let size: Int
    /// For each shift, unit vectors `[entries, size]`.
    public let axes: [[Float]]
    /// For each shift, 1 / mean_m |f_{m,k}|.
    public let similarityWeights: [Float]
    /// For each shift, 1 / mean_m s_{m,k}[k].
    public let shiftWeights: [Float]

    /// Creates a score from stored values; `axes` holds `[entries, size]` for each shift.
    public init(axes: [[Float]], size: Int, similarityWeights: [Float], shiftWeights: [Float]) {
        precondition(
            size > 0 && axes.count == similarityWeights.count && axes.count == shiftWeights.count
                && axes.allSatisfy { $0.count == axes[0].count && $0.count % size == 0 },
            "the parts of the bank have different sizes"
        )
        self.axes = axes
        self.size = size
        entries = axes[0].count / size
        self.similarityWeights = similarityWeights
        self.shiftWeights = shiftWeights
    }

    /// Creates the bank of the features in `training`, at least one.
    public init(training: [EncoderFeatures]) {
        precondition(!training.isEmpty, "the bank is empty")
        let shifts = training[0].projections.count
        let count = Float(training.count)
        var axes = [[Float]](repeating: [], count: shifts)
        var similarity = [Float](repeating: 0, count: shifts)
        var shift = [Float](repeating: 0, count: shifts)
        for features in training {
            for k in 0..<shifts {
                let f = features.projections[k]
                let norm = max(f.reduce(0) { $0 + $1 * $1 }.squareRoot(), 1e-12)
                axes[k] += f.map { $0 / norm }
                similarity[k] += norm / count
                shift[k] += features.shiftScores[k][k] / count
            }
        }
        self.init(
            axes: axes,
            size: training[0].projections[0].count,
            similarityWeights: similarity.map { 1 / $0 },
            shiftWeights: shift.map { 1 / $0 }
        )
    }

    /// Returns the score of an image with `features`; `excluding` is the image's own entry if it is in the bank.
    public func callAsFunction(_ features: EncoderFeatures, excluding excluded: Int? = nil) -> Result {
        var result = Result(normality: 0, contrastive: [], shift: [])
        for k in axes.indices {
            var similarities = DenseMatrix.multiply(axes[k], by: features.projections[k])
            if let excluded { similarities[excluded] = -.infinity }
            let nearest = similarities.max() ?? 0
            result.contrastive.append(Double(similarityWeights[k] * nearest))
            result.shift.append(Double(shiftWeights[k] * features.shiftScores[k][k]))
        }
        let sum = result.contrastive.reduce(0, +) + result.shift.reduce(0, +)
        result.normality = sum / Double(axes.count)
        return result
    }
}
