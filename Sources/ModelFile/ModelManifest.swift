/// The contents of model.json, format "dia-model/1".
public struct ModelManifest: Sendable, Codable {
    /// The only supported format.
    public static let format = "dia-model/1"

    /// The images that a model takes; other images are converted to this size.
    public struct Input: Sendable, Codable, Hashable {
        /// The number of channels: 1 (gray) or 3.
        public var channels: Int
        /// The number of rows and columns.
        public var height, width: Int

        /// Creates an input of `height` x `width`.
        public init(channels: Int, height: Int, width: Int) {
            self.channels = channels
            self.height = height
            self.width = width
        }
    }

    /// The diffusion model.
    public struct Dissolve: Sendable, Codable, Hashable {
        /// The file with the weights, and its sha256 in hexadecimal.
        public var file, sha256: String
        /// The number of channels of the U-Net's first level.
        public var dim: Int
        /// The number of channels of each level as a multiple of ``dim``.
        public var dimMults: [Int]
        /// The number of channels of the U-Net, and the side of its images.
        public var channels, resolution: Int
        /// How images are converted to the resolution.
        public var fit: Fit
        /// The number of steps of the noise schedule.
        public var timesteps: Int
        /// The growth of beta with t.
        public var betaSchedule: BetaSchedule
        /// The default step of a request.
        public var defaultT: Int

        enum CodingKeys: String, CodingKey {
            case file, sha256, dim, channels, resolution, fit, timesteps
            case dimMults = "dim_mults"
            case betaSchedule = "beta_schedule"
            case defaultT = "default_t"
        }

        /// Creates a diffusion model.
        public init(
            file: String,
            sha256: String,
            dim: Int,
            dimMults: [Int],
            channels: Int,
            resolution: Int,
            fit: Fit,
            timesteps: Int,
            betaSchedule: BetaSchedule,
            defaultT: Int
        ) {
            self.file = file
            self.sha256 = sha256
            self.dim = dim
            self.dimMults = dimMults
            self.channels = channels
            self.resolution = resolution
            self.fit = fit
            self.timesteps = timesteps
            self.betaSchedule = betaSchedule
            self.defaultT = defaultT
        }
    }

    /// The encoder.
    public struct Encoder: Sendable, Codable, Hashable {
        /// The file with the weights, and its sha256.
        public var file, sha256: String
        /// The architecture, "resnet18".
        public var arch: String
        /// The type of the first layers.
        public var stem: Stem
        /// The number of channels of the first stage and of the image, and the length of a projection.
        public var width, channels, projection: Int
        /// The shifts that it learns to classify.
        public var shifts: Shift
        /// The side to which images are resized for the encoder; nil for the size of the input.
        public var resolution: Int?
        /// Whether the histogram of each image is equalized for the encoder; nil is false.
        public var equalize: Bool?

        /// Creates an encoder.
        public init(
            file: String,
            sha256: String,
            arch: String,
            stem: Stem,
            width: Int,
            channels: Int,
            projection: Int,
            shifts: Shift,
            resolution: Int? = nil,
            equalize: Bool? = nil
        ) {
            self.file = file
            self.sha256 = sha256
            self.arch = arch
            self.stem = stem
            self.width = width
            self.channels = channels
            self.projection = projection
            self.shifts = shifts
            self.resolution = resolution
            self.equalize = equalize
        }
    }

    /// How the normality is computed from the features.
    public struct Score: Sendable, Codable, Hashable {
        /// The file with the bank, and its sha256.
        public var file, sha256: String
        /// The name of the score: "csi" or "combined".
        public var method: String
        /// The names of the parts of a combined score.
        public var parts: [String]?
        /// The number of views of each shift; 1 means only the unchanged image.
        public var views: Int
        /// The smallest area of a view, relative to the image.
        public var cropScale: Double
        /// The seed of the crops of the views.
        public var seed: UInt64

        enum CodingKeys: String, CodingKey {
            case file, sha256, method, parts, views, seed
            case cropScale = "crop_scale"
        }

        /// Creates a score.
        public init(
            file: String,
            sha256: String,
            method: String,
            parts: [String]? = nil,
            views: Int,
            cropScale: Double,
            seed: UInt64
        ) {
            self.file = file
            self.sha256 = sha256
            self.method = method
            self.parts = parts
            self.views = views
            self.cropScale = cropScale
            self.seed = seed
        }
    }

    /// The normality of normal images that were not used in training.
    public struct Calibration: Sendable, Codable, Hashable {
        /// The file with the values, and its sha256.
        public var file, sha256: String
        /// The target false-positive rate: the share of normal images that may be reported as anomalous.
        public var alpha: Double

        /// Creates a calibration.
        public init(file: String, sha256: String, alpha: Double) {
            self.file = file
            self.sha256 = sha256
            self.alpha = alpha
        }
    }

    /// Images with the outputs of the model.
    public struct Golden: Sendable, Codable, Hashable {
        /// The file with the images, and its sha256.
        public var file, sha256: String

        /// Creates a golden set.
        public init(file: String, sha256: String) {
            self.file = file
            self.sha256 = sha256
        }
    }

    /// The format; must be ``format``, "dia-model/1".
    public var format: String
    /// The name of the model, as in request paths, and its version.
    public var name, version: String
    /// The creation time (ISO 8601), and a description.
    public var created, description: String?
    /// The intended use, and the license of the weights.
    public var intendedUse, license: String?
    /// The images that the model takes.
    public var input: Input
    /// The diffusion model.
    public var dissolve: Dissolve
    /// The encoder.
    public var encoder: Encoder
    /// The score.
    public var score: Score
    /// How the model's images were rendered, for clients that render images themselves.
    public var rendering: JSONValue?
    /// The calibration; without it there is no p-value and no verdict.
    public var calibration: Calibration?
    /// The golden set; without it the model cannot be verified.
    public var golden: Golden?
    /// The results of the evaluation, and information about the training.
    public var evaluation, training: JSONValue?

    enum CodingKeys: String, CodingKey {
        case format, name, version, created, description, license, input, dissolve, encoder, score, calibration
        case golden, rendering
        case evaluation, training
        case intendedUse = "intended_use"
    }

    /// Creates a manifest from its required parts.
    public init(
        name: String,
        version: String,
        input: Input,
        dissolve: Dissolve,
        encoder: Encoder,
        score: Score
    ) {
        format = Self.format
        self.name = name
        self.version = version
        self.input = input
        self.dissolve = dissolve
        self.encoder = encoder
        self.score = score
    }
}
