/// All data of one image that a score can use.
public struct ScoreInputs: Sendable {
    /// The features of the encoder.
    public var features: Features
    /// For each dissolving step that the score uses, the log of the average change by dissolving.
    public var residuals: [Int: Double]

    /// Creates the inputs of one image.
    public init(features: Features, residuals: [Int: Double] = [:]) {
        self.features = features
        self.residuals = residuals
    }
}
