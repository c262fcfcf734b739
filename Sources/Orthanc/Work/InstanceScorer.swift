/// What is computed from the file of an instance, without any effect.
public protocol InstanceScorer: Sendable {
    /// Returns the results of a file, or why there is none. Blocks.
    func evaluate(_ file: [UInt8], _ record: InstanceRecord) throws(ScoringError) -> Evaluation
}

/// What is to be written for an instance.
public enum Evaluation: Sendable {
    /// Nothing, with the reason, which has no data of the patient.
    case skip(String)
    /// The results.
    case result(InstanceResult)
}

/// The results of an instance.
public struct InstanceResult: Sendable {
    /// A DICOM file that is added to the study.
    public struct Object: Sendable {
        /// The kind: "sr" or "sc".
        public let kind: String
        /// The Series Instance UID; the series has no other instances.
        public let series: String
        /// The file.
        public let file: [UInt8]

        /// Creates an object.
        public init(kind: String, series: String, file: [UInt8]) {
            (self.kind, self.series, self.file) = (kind, series, file)
        }
    }

    /// The name of the rule, and the model.
    public let rule: String, model: Mark.Model
    /// The results.
    public let verdict: String?, score: Double?, normality: Double, pValue: Double?
    /// The complete result, in JSON.
    public let attachment: [UInt8]
    /// What is added to the study.
    public let objects: [Object]

    /// Creates the results.
    public init(
        rule: String,
        model: Mark.Model,
        verdict: String?,
        score: Double?,
        normality: Double,
        pValue: Double?,
        attachment: [UInt8],
        objects: [Object]
    ) {
        (self.rule, self.model, self.verdict, self.score) = (rule, model, verdict, score)
        (self.normality, self.pValue, self.attachment, self.objects) = (normality, pValue, attachment, objects)
    }
}

/// Why an instance has no result.
///
/// The messages have no data of the patient.
public enum ScoringError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The service cannot be reached or used at this time; this is not about the instance.
    case unavailable(String)
    /// Another attempt may succeed.
    case temporary(String)
    /// Another attempt would fail in the same way.
    case permanent(String)

    /// The message.
    public var description: String {
        switch self {
        case .unavailable(let reason), .temporary(let reason), .permanent(let reason): reason
        }
    }
}

/// Another archive that gets the objects too (STOW-RS).
public protocol ObjectReceiver: Sendable {
    /// Stores files; storing one again has no effect. Blocks.
    func store(_ files: [[UInt8]]) throws(ScoringError)
}
