/// Everything that a score may read of one image.
public struct ScoreInputs: Sendable {
    /// What the encoder says.
    public var features: Features
    /// For each dissolving step that the score reads, log of the mean change that dissolving makes.
    public var residuals: [Int: Double]

    /// The evidence of one image.
    public init(features: Features, residuals: [Int: Double] = [:]) {
        self.features = features
        self.residuals = residuals
    }
}
