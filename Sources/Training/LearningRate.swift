import Glibc

/// The learning rate of each step.
public struct LearningRate: Sendable, Hashable {
    /// What the rate does after the warm-up.
    public enum Decay: String, Sendable, Codable, Hashable {
        /// It stays.
        case constant
        /// It falls to zero along half a cosine.
        case cosine
    }

    /// The rate after the warm-up.
    public var peak: Float
    /// Steps over which it grows from a tenth.
    public var warmUpSteps: Int
    /// What it does then.
    public var decay: Decay
    /// Steps in all.
    public var steps: Int

    /// The rates of a stage of `steps` steps.
    public init(peak: Float, warmUpSteps: Int, decay: Decay, steps: Int) {
        self.peak = peak
        self.warmUpSteps = warmUpSteps
        self.decay = decay
        self.steps = steps
    }

    /// The rate of step `index`, from 0.
    public func callAsFunction(_ index: Int) -> Float {
        if index < warmUpSteps { return peak * (0.1 + 0.9 * Float(index) / Float(warmUpSteps)) }
        guard decay == .cosine else { return peak }
        return peak * 0.5 * (1 + cos(.pi * Float(index - warmUpSteps) / Float(max(steps - warmUpSteps, 1))))
    }
}

/// A part of a recipe that trains with a learning rate.
protocol TrainedStage {
    var learningRate: Float { get }
    var warmUpSteps: Int { get }
    var decay: LearningRate.Decay { get }
    var steps: Int { get }
}

extension TrainedStage {
    /// The stage's learning rate.
    var rate: LearningRate {
        LearningRate(peak: learningRate, warmUpSteps: warmUpSteps, decay: decay, steps: steps)
    }
}

extension Recipe.Diffusion: TrainedStage {}
extension Recipe.Encoder: TrainedStage {}
