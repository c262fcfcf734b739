public import DIA
import Foundation
import ModelFile
public import Neural

/// Everything that decides how a model is trained: one JSON file, committed beside the model.
public struct Recipe: Sendable, Codable, Hashable {
    /// The images the model takes.
    public struct Input: Sendable, Codable, Hashable {
        /// Channels, rows and columns.
        public var channels, height, width: Int
    }

    /// The diffusion stage.
    public struct Diffusion: Sendable, Codable, Hashable {
        /// The U-Net's width, level multipliers and resolution.
        public var dim: Int
        /// Each level's width over ``dim``.
        public var dimMults: [Int]
        /// The side of the U-Net's images.
        public var resolution: Int
        /// How other sizes are brought to it.
        public var fit: Dissolver.Fit
        /// The schedule.
        public var timesteps: Int
        /// How beta grows.
        public var betaSchedule: NoiseSchedule.Kind
        /// The step used when a request names none.
        public var defaultT: Int
        /// Images of a step, and steps.
        public var batch, steps: Int
        /// The optimiser.
        public var optimizer: OptimizerRule.Name
        /// The learning rate after warm-up.
        public var learningRate: Float
        /// Steps over which the rate grows from a tenth.
        public var warmUpSteps: Int
        /// What the rate does after that.
        public var decay: LearningRate.Decay
        /// The moving average of the weights, which is what is saved: its decay, and the steps between updates.
        public var emaDecay: Float
        /// Steps between two updates of the average.
        public var emaEvery: Int

        enum CodingKeys: String, CodingKey {
            case dim, resolution, fit, timesteps, batch, steps, optimizer, decay
            case dimMults = "dim_mults"
            case betaSchedule = "beta_schedule"
            case defaultT = "default_t"
            case learningRate = "learning_rate"
            case warmUpSteps = "warm_up_steps"
            case emaDecay = "ema_decay"
            case emaEvery = "ema_every"
        }
    }

    /// The encoder stage.
    public struct Encoder: Sendable, Codable, Hashable {
        /// The network.
        public var stem: ResNet18.Stem
        /// Channels of its first stage, and the length of a projection.
        public var width, projection: Int
        /// The shifts it learns to tell apart.
        public var shifts: Shift
        /// Images of a step (each gives 12 views, 8 without negatives), and steps.
        public var batch, steps: Int
        /// The optimiser.
        public var optimizer: OptimizerRule.Name
        /// The learning rate after warm-up.
        public var learningRate: Float
        /// Steps over which the rate grows from a tenth.
        public var warmUpSteps: Int
        /// What the rate does after that.
        public var decay: LearningRate.Decay
        /// What stands against the plain images.
        public var negatives: Negatives
        /// The loss's temperature and mask.
        public var temperature: Float
        /// The pairs left out of the loss.
        public var mask: ContrastiveLoss.Mask
        /// The dissolving steps of the negatives, from (included) and to (excluded).
        public var dissolveFrom, dissolveTo: Int
        /// The smallest share of the area in a random crop.
        public var cropScale: Double
        /// Brightness, contrast and saturation change by at most this share, the hue by this part of a turn.
        public var jitter, hue: Float
        /// The shares of images whose colours are jittered, and that are made grey.
        public var jitterProbability, greyProbability: Double

        enum CodingKeys: String, CodingKey {
            case stem, width, projection, shifts, batch, steps, optimizer, decay, negatives, temperature, mask
            case jitter, hue
            case jitterProbability = "jitter_probability"
            case greyProbability = "grey_probability"
            case learningRate = "learning_rate"
            case warmUpSteps = "warm_up_steps"
            case dissolveFrom = "dissolve_from"
            case dissolveTo = "dissolve_to"
            case cropScale = "crop_scale"
        }
    }

    /// The score and its calibration.
    public struct Score: Sendable, Codable, Hashable {
        /// The score's name, "csi" or "combined".
        public var method: String
        /// The parts of a combined score.
        public var parts: [String]?
        /// Views of each shift, their smallest share of the area, their seed.
        public var views: Int
        /// The smallest share of the image's area in a view.
        public var cropScale: Double
        /// Where the views' crops come from.
        public var seed: UInt64
        /// The most training images in the bank.
        public var bank: Int
        /// The share of the training normals kept for calibration.
        public var calibrationShare: Double
        /// The share of normal images that may be called anomalous.
        public var alpha: Double

        enum CodingKeys: String, CodingKey {
            case method, parts, views, seed, bank, alpha
            case cropScale = "crop_scale"
            case calibrationShare = "calibration_share"
        }
    }

    /// The model's name and version.
    public var name, version: String
    /// What it is, what it is for, and its licence.
    public var description: String
    /// What the model is for.
    public var intendedUse: String
    /// The licence of the weights.
    public var license: String
    /// Where every random number comes from.
    public var seed: UInt64
    /// The images the model takes.
    public var input: Input
    /// The stages.
    public var diffusion: Diffusion
    /// The encoder stage.
    public var encoder: Encoder
    /// The score and its calibration.
    public var score: Score

    enum CodingKeys: String, CodingKey {
        case name, version, description, license, seed, input, diffusion, encoder, score
        case intendedUse = "intended_use"
    }

    /// The U-Net it describes.
    public var network: UNet {
        UNet(
            dim: diffusion.dim,
            multipliers: diffusion.dimMults,
            channels: input.channels,
            resolution: diffusion.resolution
        )
    }

    /// The noise schedule it describes.
    public var schedule: NoiseSchedule { NoiseSchedule(diffusion.betaSchedule, timesteps: diffusion.timesteps) }

    /// The encoder it describes.
    public var encoderNetwork: ResNet18 {
        ResNet18(
            stem: encoder.stem,
            width: encoder.width,
            channels: input.channels,
            height: input.height,
            columns: input.width,
            projection: encoder.projection,
            shifts: Shift.count
        )
    }
}

extension OptimizerRule {
    /// The optimisers a recipe may name, with the method's settings.
    public enum Name: String, Sendable, Codable, Hashable {
        /// LARS with trust 0.001, momentum 0.9, decay 1e-6: the paper's choice for the encoder.
        case lars
        /// Gradient descent, momentum 0.9, decay 1e-6.
        case sgd
        /// Adam, betas 0.9 and 0.99.
        case adam
        /// AdamW, betas 0.9 and 0.999, decay 0.05.
        case adamw

        /// The rule.
        public var rule: OptimizerRule {
            switch self {
            case .lars: .lars(momentum: 0.9, weightDecay: 1e-6, trust: 0.001)
            case .sgd: .sgd(momentum: 0.9, weightDecay: 1e-6)
            case .adam: .adam(beta1: 0.9, beta2: 0.99, weightDecay: 0)
            case .adamw: .adam(beta1: 0.9, beta2: 0.999, weightDecay: 0.05)
            }
        }
    }
}
