import Glibc

/// The learning rate of each step.
public struct LearningRate: Sendable, Hashable {
    /// The change of the rate after the warm-up.
    public enum Decay: String, Sendable, Codable, Hashable {
        /// The rate stays constant.
        case constant
        /// The rate decreases to zero along half a cosine.
        case cosine
    }

    /// The rate after the warm-up.
    public var peak: Float
    /// The number of steps over which the rate grows from a tenth of the peak.
    public var warmUpSteps: Int
    /// The change of the rate after the warm-up.
    public var decay: Decay
    /// The total number of steps.
    public var steps: Int

    /// Creates the rates of a stage of `steps` steps.
    public init(peak: Float, warmUpSteps: Int, decay: Decay, steps: Int) {
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.decay = decay
        self.steps = steps
    }

    /// Returns the rate of step `index`, counted from 0.
    public func callAsFunction(_ index: Int) -> Float {
        if index < warmUpSteps { return peak * (0.1 + 0.9 * Float(index) / Float(warmUpSteps)) }
        guard decay == .cosine else { return peak }
        return peak * 0.5 * (1 + cos(.pi * Float(index - warmUpSteps) / Float(max(steps - warmUpSteps, 1))))
    }
}

/// A part of a recipe that has a learning rate.
protocol TrainedStage {
    var learningRate: Float { get }
    var warmUpSteps: Int { get }
    var decay: LearningRate.Decay { get }
    var steps: Int { get }
}

extension TrainedStage {
    /// The learning rate of the stage.
    var rate: LearningRate {
        LearningRate(peak: learningRate, warmUpSteps: warmUpSteps, decay: decay, steps: steps)
    }
}

extension Recipe.Diffusion: TrainedStage {}
extension Recipe.Encoder: TrainedStage {}
