/// The features of one image, averaged over its views (method, section 4).
public struct EncoderFeatures: Sendable {
    /// For each shift k, f_k: the average projection, not normalized.
    public var projections: [[Float]]
    /// For each shift k, s_k: the average shift scores.
    public var shiftScores: [[Float]]
    /// For each stage of the encoder, the pooled features of all shifts, concatenated; empty if they were not
    /// requested.
    public var stages: [[Float]]

    /// Averages over the views.
    ///
    /// `projections` is `[shifts, views, size]`, `shiftScores` is `[shifts, views, shifts]`, and each element of
    /// `stages` is `[shifts, views, channels]`.
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
