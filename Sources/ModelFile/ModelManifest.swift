/// The contents of model.json, format "dia-model/1".
public struct ModelManifest: Sendable, Codable {
    /// The one format there is.
    public static let format = "dia-model/1"

    /// The images a model takes; others are brought to this size.
    public struct Input: Sendable, Codable, Hashable {
        /// 1 (grey) or 3.
        public var channels: Int
        /// Rows and columns.
        public var height, width: Int

        /// Images of `height` x `width`.
        public init(channels: Int, height: Int, width: Int) {
            self.channels = channels
            self.height = height
            self.width = width
        }
    }

    /// The diffusion model.
    public struct Dissolve: Sendable, Codable, Hashable {
        /// The weights' file and its sha256, in hexadecimal.
        public var file, sha256: String
        /// The U-Net's width.
        public var dim: Int
        /// Each level's width over ``dim``.
        public var dimMults: [Int]
        /// The U-Net's channels and the side of its images.
        public var channels, resolution: Int
        /// "pad" or "resize".
        public var fit: String
        /// The steps of the noise schedule.
        public var timesteps: Int
        /// "cosine" or "linear".
        public var betaSchedule: String
        /// The step used when a request names none.
        public var defaultT: Int

        enum CodingKeys: String, CodingKey {
            case file, sha256, dim, channels, resolution, fit, timesteps
            case dimMults = "dim_mults"
            case betaSchedule = "beta_schedule"
            case defaultT = "default_t"
        }

        /// A diffusion model.
        public init(
            file: String,
            sha256: String,
            dim: Int,
            dimMults: [Int],
            channels: Int,
            resolution: Int,
            fit: String,
            timesteps: Int,
            betaSchedule: String,
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
        /// The weights' file and its sha256.
        public var file, sha256: String
        /// "resnet18"; its stem, "cifar" or "imagenet".
        public var arch, stem: String
        /// Channels of the first stage, of the image, and the length of a projection.
        public var width, channels, projection: Int
        /// "rotation" or "cutperm".
        public var shifts: String

        /// An encoder.
        public init(
            file: String,
            sha256: String,
            arch: String,
            stem: String,
            width: Int,
            channels: Int,
            projection: Int,
            shifts: String
        ) {
            self.file = file
            self.sha256 = sha256
            self.arch = arch
            self.stem = stem
            self.width = width
            self.channels = channels
            self.projection = projection
            self.shifts = shifts
        }
    }

    /// How features become a normality.
    public struct Score: Sendable, Codable, Hashable {
        /// The bank's file and its sha256.
        public var file, sha256: String
        /// The score's name: "csi" or "combined".
        public var method: String
        /// The names of the parts of a combined score.
        public var parts: [String]?
        /// Views of each shift; 1 means the image as it is.
        public var views: Int
        /// The smallest share of the image's area in a view.
        public var cropScale: Double
        /// Where the views' crops come from.
        public var seed: UInt64

        enum CodingKeys: String, CodingKey {
            case file, sha256, method, parts, views, seed
            case cropScale = "crop_scale"
        }

        /// A score.
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

    /// The normality of normal images that no training step saw.
    public struct Calibration: Sendable, Codable, Hashable {
        /// The file and its sha256.
        public var file, sha256: String
        /// The share of normal images that may be called anomalous.
        public var alpha: Double

        /// A calibration.
        public init(file: String, sha256: String, alpha: Double) {
            self.file = file
            self.sha256 = sha256
            self.alpha = alpha
        }
    }

    /// Images with what the model makes of them.
    public struct Golden: Sendable, Codable, Hashable {
        /// The file and its sha256.
        public var file, sha256: String

        /// A golden set.
        public init(file: String, sha256: String) {
            self.file = file
            self.sha256 = sha256
        }
    }

    /// ``format``, "dia-model/1".
    public var format: String
    /// The model's name, as in request paths, and its version.
    public var name, version: String
    /// When it was made (ISO 8601), and what it is.
    public var created, description: String?
    /// What it is for, and the licence of its weights.
    public var intendedUse, license: String?
    /// The images it takes.
    public var input: Input
    /// The diffusion model.
    public var dissolve: Dissolve
    /// The encoder.
    public var encoder: Encoder
    /// The score.
    public var score: Score
    /// The calibration; without it there is no p-value and no verdict.
    public var calibration: Calibration?
    /// The golden set; without it there is nothing to verify.
    public var golden: Golden?
    /// What was measured on it, and how it was made.
    public var evaluation, training: JSONValue?

    enum CodingKeys: String, CodingKey {
        case format, name, version, created, description, license, input, dissolve, encoder, score, calibration
        case golden
        case evaluation, training
        case intendedUse = "intended_use"
    }

    /// A manifest of the parts that a model must have.
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
