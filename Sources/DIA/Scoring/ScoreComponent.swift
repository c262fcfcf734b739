/// One of the measures that a combined score averages.
public enum ScoreComponent: Sendable, Hashable {
    /// The normality of CSI (method, section 4).
    case csi
    /// The similarity to the nearest training image in the pooled features of an encoder stage, 1 to 4.
    case neighbors(stage: Int)
    /// The density of the training images by Mahalanobis distance in the features of an encoder stage, 1 to 4.
    case density(stage: Int)
    /// The same density of the change of the features when the image is dissolved at a step.
    ///
    /// An image is compared with its own dissolved copy, so what both share, such as exposure and anatomy, has less effect.
    case change(stage: Int, step: Int)
    /// How much the image changes when it is dissolved at a step: anomalies tend to be smooth and change less.
    case residual(step: Int)
    /// The largest local change when the image is dissolved at a step: a small lesion that dissolves changes much.
    case peak(step: Int)

    /// Parses the name of a part, such as "neighbors.3" or "change.3.100"; nil if the name is invalid.
    ///
    /// A step must be less than `timesteps`.
    public init?(_ name: String, timesteps: Int) {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        let numbers = pieces.dropFirst().compactMap { Int($0) }
        // Only plain digits are valid, so that each part has a single name.
        guard pieces.dropFirst().elementsEqual(numbers.map { Substring(String($0)) }) else { return nil }
        let (stages, steps) = (1...4, 0..<timesteps)
        switch (pieces[0], numbers.count) {
        case ("csi", 0): self = .csi
        case ("neighbors", 1) where stages.contains(numbers[0]): self = .neighbors(stage: numbers[0])
        case ("density", 1) where stages.contains(numbers[0]): self = .density(stage: numbers[0])
        case ("change", 2) where stages.contains(numbers[0]) && steps.contains(numbers[1]):
            self = .change(stage: numbers[0], step: numbers[1])
        case ("residual", 1) where steps.contains(numbers[0]): self = .residual(step: numbers[0])
        case ("peak", 1) where steps.contains(numbers[0]): self = .peak(step: numbers[0])
        default: return nil
        }
    }

    /// The name of the part in a recipe, a manifest and a response.
    public var name: String {
        switch self {
        case .csi: "csi"
        case .neighbors(let stage): "neighbors.\(stage)"
        case .density(let stage): "density.\(stage)"
        case .change(let stage, let step): "change.\(stage).\(step)"
        case .residual(let step): "residual.\(step)"
        case .peak(let step): "peak.\(step)"
        }
    }

    /// The step at which the part dissolves the image; nil if it does not.
    public var step: Int? {
        switch self {
        case .csi, .neighbors, .density: nil
        case .change(_, let step), .residual(let step), .peak(let step): step
        }
    }

    /// Whether the part is a density of the training images.
    public var isDensity: Bool {
        switch self {
        case .csi, .neighbors, .residual, .peak: false
        case .density, .change: true
        }
    }

    /// The encoder stage whose pooled features the part reads, 1 to 4; nil if it reads none.
    public var stage: Int? {
        switch self {
        case .csi, .residual, .peak: nil
        case .neighbors(let stage), .density(let stage), .change(let stage, _): stage
        }
    }
}
