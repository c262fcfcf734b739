public import DICOM

/// The rules: which instances are scored, by which model, and what is written.
public struct Rules: Sendable {
    /// What is written to the study, beside the metadata and the attachment, which are always written.
    public enum Output: String, Codable, Sendable, CaseIterable {
        /// A structured report (TID 1500).
        case structuredReport = "sr"
        /// A Secondary Capture image with the heat map.
        case secondaryCapture = "sc"
    }

    /// A rule.
    public struct Rule: Sendable {
        /// The name in logs and results.
        public let name: String
        /// The conditions, all of which must be met.
        public let conditions: [Condition]
        /// The model; nil if the instances of the rule are not scored.
        public let model: String?
        /// How images are rendered; nil as those that the model was calibrated with.
        public let window: RenderingOptions.Mapping?
        /// The frame of an image with several, from 1.
        public let frame: Int
        /// What is written.
        public let outputs: [Output]
    }

    /// A condition: an attribute must match one of the patterns.
    public struct Condition: Sendable {
        /// The attribute.
        public let attribute: Attribute
        /// The patterns.
        public let patterns: [String]
    }

    /// The attributes of conditions.
    public enum Attribute: String, Sendable, CaseIterable {
        case modality, manufacturer
        case bodyPart = "body_part"
        case viewPosition = "view_position"
        case sopClass = "sop_class"
        case aeTitle = "ae_title"
        case seriesDescription = "series_description"

        /// The value for an image.
        func value(_ metadata: DICOMMetadata, remoteAETitle: String) -> String {
            switch self {
            case .modality: metadata.modality
            case .manufacturer: metadata.manufacturer
            case .bodyPart: metadata.bodyPart
            case .viewPosition: metadata.viewPosition
            case .sopClass: metadata.sopClassUID
            case .aeTitle: remoteAETitle.isEmpty ? metadata.sourceApplicationEntityTitle : remoteAETitle
            case .seriesDescription: metadata.seriesDescription
            }
        }
    }

    /// The rules in their order.
    public let rules: [Rule]

    /// Returns what is wrong with the rules for a server with these models; nil if it has those of all rules.
    public func problem(models: [String]) -> String? {
        rules.lazy.compactMap { rule in
            guard let model = rule.model, !models.contains(model) else { return nil }
            let names = models.sorted().joined(separator: ", ")
            return "rule '\(rule.name)' has the model '\(model)', but the server has \(names)"
        }.first
    }

    /// Returns the first rule whose conditions are met.
    public func rule(for metadata: DICOMMetadata, remoteAETitle: String) -> Rule? {
        rules.first { $0.firstUnmet(metadata, remoteAETitle: remoteAETitle) == nil }
    }

    /// Returns a text for each rule up to the first that applies: that it does, or which condition is not met.
    ///
    /// The texts have values of the image, so they are for the user and not for logs.
    public func explanation(for metadata: DICOMMetadata, remoteAETitle: String) -> [String] {
        var texts: [String] = []
        for rule in rules {
            guard let unmet = rule.firstUnmet(metadata, remoteAETitle: remoteAETitle) else {
                return texts + ["rule '\(rule.name)' applies"]
            }
            let patterns = unmet.patterns.joined(separator: ", ")
            let value = unmet.attribute.value(metadata, remoteAETitle: remoteAETitle)
            let found = value.isEmpty ? "missing" : "'\(value)'"
            texts.append("rule '\(rule.name)' does not apply: \(unmet.attribute.rawValue) is \(found), not \(patterns)")
        }
        return texts + ["no rule applies"]
    }
}

extension Rules.Rule {
    /// The first condition that is not met.
    func firstUnmet(_ metadata: DICOMMetadata, remoteAETitle: String) -> Rules.Condition? {
        conditions.first { condition in
            let value = condition.attribute.value(metadata, remoteAETitle: remoteAETitle)
            return !condition.patterns.contains { Pattern.matches(value, $0) }
        }
    }
}
