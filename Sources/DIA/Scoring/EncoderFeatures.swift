/// What the encoder says of one image, meaned over its views (method, section 4).
public struct Features: Sendable {
    /// For each shift k, f_k: the mean projection, not normalised.
    public var projections: [[Float]]
    /// For each shift k, s_k: the mean shift scores.
    public var shiftScores: [[Float]]
    /// For each stage of the encoder, its pooled features, those of all shifts one behind the other; empty where
    /// the encoder was not asked for them.
    public var stages: [[Float]]

    /// Means over views: `projections` `[shifts, views, size]`, `shiftScores` `[shifts, views, shifts]`, each of
    /// `stages` `[shifts, views, channels]`.
    public init(
        projections: ArraySlice<Float>,
        shiftScores: ArraySlice<Float>,
        stages: [ArraySlice<Float>] = [],
        shifts: Int,
        views: Int
    ) {
        func means(_ values: ArraySlice<Float>) -> [[Float]] {
            let size = values.count / (shifts * views)
            return (0..<shifts).map { k in
                (0..<size).map { index in
                    var sum: Float = 0
                    for view in 0..<views { sum += values[values.startIndex + (k * views + view) * size + index] }
                    return sum / Float(views)
                }
            }
        }
        self.projections = means(projections)
        self.shiftScores = means(shiftScores)
        self.stages = stages.map { means($0).flatMap { $0 } }
    }
}
