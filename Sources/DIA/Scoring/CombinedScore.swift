/// The average of several measures, each standardized to mean 0 and deviation 1 over the training images.
///
/// Each training image is measured against the others, so that it does not match its own entry in the bank.
struct CombinedScore: Sendable {
    /// A measure with the data that it needs in addition to the inputs.
    enum Measure: Sendable {
        case csi
        case neighbors(NeighborBank, stage: Int)
        case density(FeatureDensity, of: ScoreComponent)
        case residual(step: Int)
        case peak(step: Int)
    }

    /// A part with its mean and deviation over the training images.
    struct Part: Sendable {
        let measure: Measure
        var mean: Float
        var deviation: Float
    }

    /// The parts.
    let parts: [Part]

    /// Creates a score from stored values.
    init(parts: [Part]) { self.parts = parts }

    /// Creates the score of `parts` over `training`; nil if a covariance matrix is not positive definite.
    init?(_ parts: [ScoreComponent], training: [ScoreInputs], variation: ScoreVariation, csi: CSIScore) {
        var result: [Part] = []
        for part in parts {
            let measure: Measure
            switch part {
            case .csi: measure = .csi
            case .residual(let step): measure = .residual(step: step)
            case .peak(let step): measure = .peak(step: step)
            case .neighbors(let stage):
                measure = .neighbors(NeighborBank(training.map { $0.features.stages[stage - 1] }), stage: stage)
            case .density, .change:
                let vectors = training.compactMap { $0.vector(part) }
                let differences = variation.differences(from: training, of: part)
                guard let density = FeatureDensity(of: vectors, differences: differences, weight: variation.weight)
                else { return nil }
                measure = .density(density, of: part)
            }
            let values = training.enumerated().map { measure.value($0.element, csi, excluding: $0.offset) }
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
            result.append(Part(measure: measure, mean: Float(mean), deviation: Float(max(variance.squareRoot(), 1e-3))))
        }
        self.init(parts: result)
    }

    /// Returns the standardized value of each part; the normality is their average.
    func callAsFunction(_ inputs: ScoreInputs, csi: CSIScore) -> [Double] {
        parts.map { ($0.measure.value(inputs, csi) - Double($0.mean)) / Double($0.deviation) }
    }
}

extension CombinedScore.Measure {
    /// The measure of one image, higher for more normal; `excluded` is the image's own entry in the bank.
    func value(_ inputs: ScoreInputs, _ csi: CSIScore, excluding excluded: Int? = nil) -> Double {
        switch self {
        case .csi: csi(inputs.features, excluding: excluded).normality
        case .neighbors(let bank, let stage):
            bank.negativeLogDistance(inputs.features.stages[stage - 1], excluding: excluded)
        case .density(let density, let part): density.density(inputs.vector(part) ?? density.mean)
        case .residual(let step): inputs.changes[step]?.residual ?? 0
        case .peak(let step): -(inputs.changes[step]?.peak ?? 0)
        }
    }
}
