/// One of the measures that a combined score averages.
public enum ScoreComponent: Sendable, Hashable {
    /// The normality of CSI (method, section 4).
    case csi
    /// The similarity to the nearest training image in the pooled features of an encoder stage, 1 to 4.
    case neighbors(stage: Int)
    /// The density of the training images by Mahalanobis distance in the features of an encoder stage, 1 to 4.
    case density(stage: Int)
    /// How much the image changes when it is dissolved at a step: anomalies tend to be smooth and change less.
    case residual(step: Int)

    /// Parses the name of a part, such as "neighbors.3" or "residual.20"; nil if the name is invalid.
    ///
    /// A step must be less than `timesteps`.
    public init?(_ name: String, timesteps: Int) {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        // Only plain digits are valid, so that each part has a single name.
        guard let number = pieces.last.flatMap({ Int($0) }), pieces.count == 2, String(number) == pieces[1] else {
            guard name == "csi" else { return nil }
            self = .csi
            return
        }
        switch pieces[0] {
        case "neighbors" where (1...4).contains(number): self = .neighbors(stage: number)
        case "density" where (1...4).contains(number): self = .density(stage: number)
        case "residual" where (0..<timesteps).contains(number): self = .residual(step: number)
        default: return nil
        }
    }

    /// The name of the part in a recipe, a manifest and a response.
    public var name: String {
        switch self {
        case .csi: "csi"
        case .neighbors(let stage): "neighbors.\(stage)"
        case .density(let stage): "density.\(stage)"
        case .residual(let step): "residual.\(step)"
        }
    }

    /// Whether the part reads the pooled features of the encoder stages.
    public var readsStages: Bool {
        switch self {
        case .csi, .residual: false
        case .neighbors, .density: true
        }
    }
}
