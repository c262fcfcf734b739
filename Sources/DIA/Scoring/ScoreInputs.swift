/// All data of one image that a score can use.
public struct ScoreInputs: Sendable {
    /// What changes when the image is dissolved at one step.
    public struct Change: Sendable {
        /// The log of the average change of a sample.
        public var residual: Double
        /// The log of the largest change of a pixel, averaged over its neighbors.
        public var peak: Double
        /// The features of each stage of the dissolved image minus those of the image; empty if they were not requested.
        public var stages: [[Float]]

        /// Creates a change.
        public init(residual: Double, peak: Double, stages: [[Float]]) {
            self.residual = residual
            self.peak = peak
            self.stages = stages
        }
    }

    /// The features of the encoder.
    public var features: EncoderFeatures
    /// For each dissolving step that the score uses, what changes.
    public var changes: [Int: Change]

    /// Creates the inputs of one image.
    public init(features: EncoderFeatures, changes: [Int: Change] = [:]) {
        self.features = features
        self.changes = changes
    }

    /// The vector whose density a part measures; nil for parts that measure something else.
    func vector(_ part: ScoreComponent) -> [Float]? {
        switch part {
        case .density(let stage): features.stages[stage - 1]
        case .change(let stage, let step): changes[step]?.stages[stage - 1]
        case .csi, .neighbors, .residual, .peak: nil
        }
    }
}
