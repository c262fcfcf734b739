/// What the encoder says of one image, meaned over its views (method, section 4).
public struct Features: Sendable {
    /// For each shift k, f_k: the mean projection, not normalised.
    public var projections: [[Float]]
    /// For each shift k, s_k: the mean shift scores.
    public var shiftScores: [[Float]]

    /// Features of one image.
    public init(projections: [[Float]], shiftScores: [[Float]]) {
        self.projections = projections
        self.shiftScores = shiftScores
    }

    /// Means over views: `projections` `[shifts, views, size]`, `shiftScores` `[shifts, views, shifts]`.
    public init(projections: ArraySlice<Float>, shiftScores: ArraySlice<Float>, shifts: Int, views: Int) {
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
    }
}
