import Foundation

/// The text that is written last, in the metadata of the instance: with it, the result is complete.
public struct Mark: Codable, Sendable, Equatable {
    /// The model.
    public struct Model: Codable, Sendable, Equatable {
        /// The name, the version, and the digest of its files.
        public let name, version, digest: String

        /// Creates the model.
        public init(name: String, version: String, digest: String) {
            (self.name, self.version, self.digest) = (name, version, digest)
        }
    }

    /// The name and version of the program that wrote it.
    public let program: String
    /// The digest of the file that was scored.
    public let source: String
    /// The rule that applied.
    public let rule: String
    /// The model.
    public let model: Model
    /// The results, as the service sent them.
    public let verdict: String?, score: Double?, normality: Double, p_value: Double?
    /// What was written to the study.
    public let outputs: [String]
    /// "research use only, not for diagnosis".
    public let notice: String

    /// The text, always the same for the same values.
    public var text: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { preconditionFailure("a mark cannot be encoded") }
        return String(decoding: data, as: UTF8.self)
    }

    /// Reads a text; nil if it is not a mark.
    public static func parse(_ text: String) -> Mark? { try? JSONDecoder().decode(Mark.self, from: Data(text.utf8)) }
}
