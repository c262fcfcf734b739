public import DIA
import Foundation
public import ModelFile
public import Neural

/// All settings that determine how a model is trained: one JSON file, committed with the model.
public struct Recipe: Sendable, Codable, Hashable {
    /// The images that the model takes.
    public struct Input: Sendable, Codable, Hashable {
        /// The number of channels, rows and columns.
        public var channels, height, width: Int

        enum CodingKeys: String, CodingKey, CaseIterable {
            case channels, height, width
        }
    }

    /// The diffusion stage.
    public struct Diffusion: Sendable, Codable, Hashable {
        /// The number of channels of the U-Net's first level.
        public var dim: Int
        /// The number of channels of each level as a multiple of ``dim``.
        public var dimMults: [Int]
        /// The side of the U-Net's images.
        public var resolution: Int
        /// How images of other sizes are converted to the resolution.
        public var fit: Dissolver.Fit
        /// The number of steps of the noise schedule.
        public var timesteps: Int
        /// The growth of beta.
        public var betaSchedule: NoiseSchedule.Kind
        /// The default step of a request.
        public var defaultT: Int
        /// The number of images per step, and the number of steps.
        public var batch, steps: Int
        /// The optimizer.
        public var optimizer: OptimizerRule.Name
        /// The learning rate after warm-up.
        public var learningRate: Float
        /// The number of steps over which the rate grows from a tenth.
        public var warmUpSteps: Int
        /// The change of the rate after the warm-up.
        public var decay: LearningRate.Decay
        /// The decay of the moving average of the weights; the averaged weights are saved.
        public var emaDecay: Float
        /// The number of steps between two updates of the average.
        public var emaEvery: Int

        enum CodingKeys: String, CodingKey, CaseIterable {
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
        /// The type of the first layers of the network.
        public var stem: ResNet18.Stem
        /// The number of channels of the first stage, and the length of a projection.
        public var width, projection: Int
        /// The side to which images are resized for the encoder; nil for the size of the input.
        public var resolution: Int?
        /// Whether the histogram of each image is equalized for the encoder; nil is false.
        public var equalize: Bool?
        /// The shifts that the encoder learns to classify.
        public var shifts: Shift
        /// The number of images per step (12 views per image, or 8 without negatives), and the number of steps.
        public var batch, steps: Int
        /// The optimizer.
        public var optimizer: OptimizerRule.Name
        /// The learning rate after warm-up.
        public var learningRate: Float
        /// The number of steps over which the rate grows from a tenth.
        public var warmUpSteps: Int
        /// The change of the rate after the warm-up.
        public var decay: LearningRate.Decay
        /// The negatives of the contrastive loss.
        public var negatives: Negatives
        /// The temperature of the loss.
        public var temperature: Float
        /// The pairs that are excluded from the loss.
        public var mask: ContrastiveLoss.Mask
        /// The range of dissolving steps of the negatives: from (included) and to (excluded).
        public var dissolveFrom, dissolveTo: Int
        /// The smallest area of a random crop, relative to the image.
        public var cropScale: Double
        /// The largest relative change of brightness, contrast and saturation, and of the hue as a fraction of a turn.
        public var jitter, hue: Float
        /// The probabilities of color jitter and of conversion to gray.
        public var jitterProbability, grayProbability: Double

        enum CodingKeys: String, CodingKey, CaseIterable {
            case stem, width, projection, resolution, equalize, shifts, batch, steps, optimizer, decay
            case negatives, temperature, mask, jitter, hue
            case jitterProbability = "jitter_probability"
            case grayProbability = "gray_probability"
            case learningRate = "learning_rate"
            case warmUpSteps = "warm_up_steps"
            case dissolveFrom = "dissolve_from"
            case dissolveTo = "dissolve_to"
            case cropScale = "crop_scale"
        }
    }

    /// The score and its calibration.
    public struct Score: Sendable, Codable, Hashable {
        /// The name of the score, "csi" or "combined".
        public var method: String
        /// The parts of a combined score.
        public var parts: [String]?
        /// The weight of the differences between training images and their varied copies in densities; 0 for none.
        public var variation: Double
        /// The number of views of each shift.
        public var views: Int
        /// The smallest area of a view, relative to the image.
        public var cropScale: Double
        /// The seed of the crops of the views.
        public var seed: UInt64
        /// The largest number of training images in the bank.
        public var bank: Int
        /// The share of the normal training images that is reserved for calibration.
        public var calibrationShare: Double
        /// The target false-positive rate: the share of normal images that may be reported as anomalous.
        public var alpha: Double

        /// The default of ``alpha``.
        static let defaultAlpha = 0.05

        enum CodingKeys: String, CodingKey, CaseIterable {
            case method, parts, variation, views, seed, bank, alpha
            case cropScale = "crop_scale"
            case calibrationShare = "calibration_share"
        }
    }

    /// How images are rendered for the model, copied to model.json for clients that render DICOM files.
    public struct Rendering: Sendable, Codable, Hashable {
        /// Whether small samples are bright (MONOCHROME1) or dark (MONOCHROME2).
        public enum Photometric: String, Sendable, Codable {
            case monochrome1 = "MONOCHROME1"
            case monochrome2 = "MONOCHROME2"
        }

        /// The range of samples that is shown.
        public enum Window: String, Sendable, Codable {
            /// The VOI LUT or window of the file.
            case voi
            /// All values of the stored bits.
            case full
            /// 8-bit images as they are.
            case none
        }

        /// The photometric interpretation of the images.
        public var photometric: Photometric
        /// The window of the images.
        public var window: Window

        enum CodingKeys: String, CodingKey, CaseIterable {
            case photometric, window
        }
    }

    /// The name and version of the model.
    public var name, version: String
    /// The description of the model.
    public var description: String
    /// The intended use of the model.
    public var intendedUse: String
    /// The license of the weights.
    public var license: String
    /// The seed of all random numbers.
    public var seed: UInt64
    /// The images that the model takes.
    public var input: Input
    /// How images are rendered for the model; nil for color images.
    public var rendering: Rendering?
    /// The diffusion stage.
    public var diffusion: Diffusion
    /// The encoder stage.
    public var encoder: Encoder
    /// The score and its calibration.
    public var score: Score

    enum CodingKeys: String, CodingKey {
        case name, version, description, license, seed, input, rendering, diffusion, encoder, score
        case intendedUse = "intended_use"
    }

    /// The U-Net of this recipe.
    public var unet: UNet { manifest(files: [:]).unet }

    /// The noise schedule of this recipe.
    public var schedule: NoiseSchedule { manifest(files: [:]).noiseSchedule }

    /// The encoder of this recipe.
    public var encoderNetwork: ResNet18 { manifest(files: [:]).encoderNetwork }
}

extension OptimizerRule {
    /// The optimizers that a recipe can name, with the settings of the method.
    public enum Name: String, Sendable, Codable, Hashable {
        /// LARS with trust 0.001, momentum 0.9, decay 1e-6: the paper's choice for the encoder.
        case lars
        /// Gradient descent, momentum 0.9, decay 1e-6.
        case sgd
        /// Adam, betas 0.9 and 0.99.
        case adam
        /// AdamW, betas 0.9 and 0.999, decay 0.05.
        case adamw

        /// The update rule.
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
