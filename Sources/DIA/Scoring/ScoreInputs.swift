/// All data of one image that a score can use.
public struct ScoreInputs: Sendable {
    /// The features of the encoder.
    public var features: EncoderFeatures
    /// For each dissolving step that the score uses, the log of the average change by dissolving.
    public var residuals: [Int: Double]

    /// Creates the inputs of one image.
    public init(features: EncoderFeatures, residuals: [Int: Double] = [:]) {
        self.features = features
        self.residuals = residuals
    }
}
