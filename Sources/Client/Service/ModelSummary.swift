/// What the service says about a model, as far as the client uses it.
public struct ModelSummary: Decodable, Sendable {
    /// The size of the images that the model sees.
    public struct Input: Decodable, Sendable {
        /// 1 for gray, 3 for color.
        public let channels: Int
        /// The size in pixels.
        public let height, width: Int
    }

    /// The results of the model's evaluation.
    public struct Evaluation: Decodable, Sendable {
        /// Area under the ROC curve; sensitivity and false-positive rate at the threshold.
        public let auroc, sensitivity, falsePositiveRate: Double?

        private enum CodingKeys: String, CodingKey {
            case auroc, sensitivity
            case falsePositiveRate = "false_positive_rate"
        }
    }

    /// The server's limits on requests for the model.
    public struct Limits: Decodable, Sendable {
        /// The bytes of a body, and the pixels of an image.
        public let bodyBytes, pixels: Int
        /// The jobs that may wait, and the images that are processed together.
        public let queue, batch: Int

        private enum CodingKeys: String, CodingKey {
            case pixels, queue, batch
            case bodyBytes = "body_bytes"
        }
    }

    /// How the images of the model were rendered.
    public struct Rendering: Decodable, Sendable {
        /// MONOCHROME1 or MONOCHROME2.
        public let photometric: String?
        /// "voi", "full" or "none".
        public let window: String?
    }

    /// The name, the version, and the digest of the files.
    public let name, version, digest: String
    /// Whether it is used for paths without a name.
    public let isDefault: Bool
    /// The input.
    public let input: Input
    /// The evaluation; nil if there is none.
    public let evaluation: Evaluation?
    /// The limits.
    public let limits: Limits
    /// The rendering; nil if the model does not say.
    public let rendering: Rendering?

    private enum CodingKeys: String, CodingKey {
        case name, version, digest, input, evaluation, limits, rendering
        case isDefault = "default"
    }

    /// The number of requests to send at the same time if the user does not say.
    ///
    /// The server processes `batch` images together. Twice as many requests let it decode the next batch, and the client
    /// read it, while one is processed; more would only wait in its queue. At most a quarter of the queue is taken, so
    /// that other clients are served.
    public var concurrency: Int { max(1, min(2 * min(limits.batch, 32), limits.queue / 4)) }
}
