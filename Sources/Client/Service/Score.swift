import Foundation

/// A score object, with the members that the client uses.
public struct Score: Decodable, Sendable {
    /// The model that computed a score.
    public struct Model: Decodable, Sendable, Hashable {
        /// The name, the version, and the digest of the files.
        public let name, version, digest: String
    }

    /// Whether the image is like the calibration images.
    public struct InputCheck: Decodable, Sendable {
        /// The p-value of the check.
        public let pValue: Double

        private enum CodingKeys: String, CodingKey { case pValue = "p_value" }
    }

    /// The model.
    public let model: Model
    /// "normal", "anomalous", "atypical_input", or nil without a threshold.
    public let verdict: String?
    /// The anomaly score from 0 to 1.
    public let score: Double?
    /// The normality; higher is more normal.
    public let normality: Double
    /// The conformal p-value.
    public let pValue: Double?
    /// Whether the image is anomalous; nil for an atypical image.
    public let isAnomalous: Bool?
    /// The input check; nil if the model has none.
    public let inputCheck: InputCheck?

    private enum CodingKeys: String, CodingKey {
        case model, verdict, score, normality
        case pValue = "p_value"
        case isAnomalous = "anomalous"
        case inputCheck = "input_check"
    }
}

/// A score, and the object as the service sent it.
public struct ScoreAnswer: Sendable {
    /// The score.
    public let score: Score
    /// The object in JSON, on one line without its end.
    public let json: [UInt8]

    /// Reads the body of a response.
    package init(_ body: [UInt8]) throws {
        score = try JSONDecoder().decode(Score.self, from: Data(body))
        // In valid JSON, line ends are only between tokens.
        var text = body.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 }
        while text.last == 0x20 { text.removeLast() }
        json = text
    }
}
