import DICOM
public import Foundation

/// Why a file of rules is not valid.
public struct RulesError: Error, CustomStringConvertible {
    /// The message for the user.
    public let description: String

    init(_ description: String) { self.description = description }
}

extension Rules {
    /// Reads a file of rules: a JSON object with the member "rules".
    public init(json data: Data) throws(RulesError) {
        let object: Any
        do {
            object = try JSONSerialization.jsonObject(with: data)
        } catch {
            throw RulesError("the file is not valid JSON")
        }
        guard let members = object as? [String: Any], let list = members["rules"] as? [Any], members.count == 1 else {
            throw RulesError("the file must be an object with one member, \"rules\", a list")
        }
        guard !list.isEmpty else { throw RulesError("there are no rules") }
        var rules: [Rule] = []
        for (index, each) in list.enumerated() { rules.append(try Self.rule(each, "rule \(index + 1)")) }
        self.init(rules: rules)
    }

    private static func rule(_ object: Any, _ place: String) throws(RulesError) -> Rule {
        guard let members = object as? [String: Any] else { throw RulesError("\(place) is not an object") }
        let known = ["name", "when", "model", "window", "frame", "outputs", "skip"]
        if let unknown = members.keys.sorted().first(where: { !known.contains($0) }) {
            throw RulesError(
                "\(place) has the unknown member \"\(unknown)\"; known are \(known.joined(separator: ", "))"
            )
        }
        let name = try text(members["name"], "\(place): name") ?? place
        let model = try text(members["model"], "\(name): model")
        let isSkipped = members["skip"] as? Bool ?? false
        guard (model != nil) != isSkipped else {
            throw RulesError("\(name) must have either \"model\" with the name of a model, or \"skip\": true")
        }
        let frame = members["frame"] ?? 1
        guard let frame = frame as? Int, frame > 0 else { throw RulesError("\(name): frame must be a number from 1") }
        var outputs: [Output] = []
        for output in try texts(members["outputs"], "\(name): outputs") {
            guard let output = Output(rawValue: output) else {
                throw RulesError("\(name): the output \"\(output)\" is unknown; known are sr, sc")
            }
            outputs.append(output)
        }
        return Rule(
            name: name,
            conditions: try conditions(members["when"] ?? [String: Any](), name),
            model: model,
            window: try window(members["window"], name),
            frame: frame,
            outputs: outputs
        )
    }

    private static func conditions(_ object: Any, _ name: String) throws(RulesError) -> [Condition] {
        guard let members = object as? [String: Any] else { throw RulesError("\(name): when is not an object") }
        var conditions: [Condition] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            guard let attribute = Attribute(rawValue: key) else {
                let known = Attribute.allCases.map(\.rawValue).joined(separator: ", ")
                throw RulesError("\(name): the condition \"\(key)\" is unknown; known are \(known)")
            }
            let patterns = try texts(value, "\(name): \(key)")
            guard !patterns.isEmpty else { throw RulesError("\(name): \(key) has no pattern") }
            conditions.append(Condition(attribute: attribute, patterns: patterns))
        }
        return conditions
    }

    private static func window(_ value: Any?, _ name: String) throws(RulesError) -> RenderingOptions.Mapping? {
        switch try text(value, "\(name): window") {
        case nil: return nil
        case "voi": return .voi(index: nil)
        case "full": return .full
        case "none": return RenderingOptions.Mapping.none
        case let text?:
            if let index = Int(text), index > 0 { return .voi(index: index) }
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            guard parts.count == 2, let center = Double(parts[0]), let width = Double(parts[1]), center.isFinite,
                width >= 1, width.isFinite
            else { throw RulesError("\(name): window must be voi, full, none, a number from 1, or CENTER,WIDTH") }
            return .window(center: center, width: width)
        }
    }

    private static func text(_ value: Any?, _ place: String) throws(RulesError) -> String? {
        guard let value else { return nil }
        guard let text = value as? String, !text.isEmpty, text.utf8.count <= 200,
            !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw RulesError("\(place) must be a text of 1 to 200 characters") }
        return text
    }

    /// A text, or a list of texts.
    private static func texts(_ value: Any?, _ place: String) throws(RulesError) -> [String] {
        guard let value else { return [] }
        guard let list = value as? [Any] else { return try text(value, place).map { [$0] } ?? [] }
        var texts: [String] = []
        for each in list { if let text = try text(each, place) { texts.append(text) } }
        return texts
    }
}
