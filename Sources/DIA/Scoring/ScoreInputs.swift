/// All data of one image that a score can use.
public struct ScoreInputs: Sendable {
    /// The features of the encoder.
    public var features: EncoderFeatures
    /// For each dissolving step that the score uses, the log of the average change by dissolving.
    public var residuals: [Int: Double]
    /// For each dissolving step that the score uses, the features of each stage of the dissolved image minus those of
    /// the image.
    public var changes: [Int: [[Float]]]

    /// Creates the inputs of one image.
    public init(features: EncoderFeatures, residuals: [Int: Double] = [:], changes: [Int: [[Float]]] = [:]) {
        self.features = features
        self.residuals = residuals
        self.changes = changes
    }

    /// The vector whose density a part measures; nil for parts that measure something else.
    func vector(_ part: ScoreComponent) -> [Float]? {
        switch part {
        case .density(let stage): features.stages[stage - 1]
        case .change(let stage, let step): changes[step]?[stage - 1]
        case .csi, .neighbors, .residual: nil
        }
    }
}
