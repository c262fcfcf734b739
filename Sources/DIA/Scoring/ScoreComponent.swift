/// One of the measures that a combined score is the mean of.
public enum ScoreComponent: Sendable, Hashable {
    /// CSI's normality (method, section 4).
    case csi
    /// How near the nearest training image is, by the pooled features of a stage of the encoder, 1 to 4.
    case neighbors(stage: Int)
    /// How dense the training images are here, by Mahalanobis distance in the features of a stage, 1 to 4.
    case density(stage: Int)
    /// How much of the image dissolves at a step: what is abnormal tends to be smooth and loses less.
    case residual(step: Int)

    /// The part called `name`, as "neighbors.3" or "residual.20"; nil if there is none.
    ///
    /// `timesteps` bounds the step.
    public init?(_ name: String, timesteps: Int) {
        let pieces = name.split(separator: ".", omittingEmptySubsequences: false)
        // Plain digits alone, so that each part has one name.
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

    /// The part's name in a recipe, a manifest and an answer.
    public var name: String {
        switch self {
        case .csi: "csi"
        case .neighbors(let stage): "neighbors.\(stage)"
        case .density(let stage): "density.\(stage)"
        case .residual(let step): "residual.\(step)"
        }
    }

    /// Whether it reads the pooled features of the encoder's stages.
    public var readsStages: Bool {
        switch self {
        case .csi, .residual: false
        case .neighbors, .density: true
        }
    }
}
