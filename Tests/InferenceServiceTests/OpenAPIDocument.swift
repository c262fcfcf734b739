import InferenceService
import ModelFile
import Yams

/// openapi.yaml as served, parsed.
struct OpenAPIDocument: Sendable {
    /// A document that is not as expected.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    /// A method of a path, with what the document says about it.
    struct Operation: Sendable {
        /// The method in uppercase.
        let method: String
        /// The path, with model names as `{model}`.
        let path: String
        let object: JSONValue

        /// The documented responses by status.
        var responses: [String: JSONValue] { object["responses"].members }
        /// The documented statuses.
        var statuses: Set<Int> { Set(responses.keys.compactMap { Int($0) }) }
    }

    /// The document of the service.
    static let served = Result { try OpenAPIDocument(yaml: String(decoding: Route.contractText, as: UTF8.self)) }

    let root: JSONValue
    let operations: [Operation]

    init(yaml: String) throws {
        guard let node = try Yams.compose(yaml: yaml) else { throw Invalid(description: "the document is empty") }
        root = try JSONValue(node)
        let methods = ["get", "put", "post", "delete", "options", "head", "patch", "trace"]
        operations = root["paths"].members.flatMap { path, item in
            item.members.filter { methods.contains($0.key) }.map { method, object in
                Operation(method: method.uppercased(), path: path, object: object)
            }
        }
    }

    /// Returns what `value` refers to if it is a reference, else `value`.
    func resolved(_ value: JSONValue) throws(JSONSchema.Invalid) -> JSONValue {
        guard case .string(let pointer) = value["$ref"] else { return value }
        return try JSONSchema(document: root).resolve(pointer)
    }

    /// Returns the documented path that `path` is an instance of, with or without a slash at its end; nil if there is
    /// none.
    func template(of path: String) -> String? {
        let hasSlash = path.hasSuffix("/") && path != "/" && !path.hasSuffix("//")
        let path = hasSlash ? String(path.dropLast()) : path
        let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let matching = root["paths"].members.keys.filter { template in
            let names = template.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            return names.count == parts.count
                && zip(names, parts).allSatisfy { name, part in
                    name.first == UInt8(ascii: "{") ? !part.isEmpty : name.elementsEqual(part)
                }
        }
        // A path without a parameter is preferred (OpenAPI, "Path Templating Matching").
        return matching.min { $0.count { $0 == "{" } < $1.count { $0 == "{" } }
    }

    /// Returns the operation of `method` on the documented path `path`; HEAD is documented as GET.
    func operation(_ method: String, _ path: String) -> Operation? {
        operations.first { $0.path == path && $0.method == (method == "HEAD" ? "GET" : method) }
    }

    /// All objects inside the document, with their places.
    var objects: [(place: String, object: JSONValue)] {
        func objects(in value: JSONValue, _ place: String) -> [(String, JSONValue)] {
            switch value {
            case .object(let members):
                [(place, value)] + members.flatMap { objects(in: $0.value, "\(place)/\($0.key)") }
            case .array(let elements):
                elements.enumerated().flatMap { objects(in: $0.element, "\(place)/\($0.offset)") }
            default: []
            }
        }
        return objects(in: root, "#")
    }
}

extension JSONValue {
    /// Converts a YAML node; only values that JSON has too are allowed.
    init(_ node: Node) throws {
        switch node {
        case .mapping(let mapping):
            var members: [String: JSONValue] = [:]
            for (key, value) in mapping {
                guard case .scalar(let name) = key else {
                    throw OpenAPIDocument.Invalid(description: "a key is not a string")
                }
                members[name.string] = try JSONValue(value)
            }
            self = .object(members)
        case .sequence(let sequence): self = .array(try sequence.map { try JSONValue($0) })
        case .scalar(let scalar):
            let text = scalar.string
            switch node.tag {
            case Tag(.str): self = .string(text)
            case Tag(.null) where text == "null": self = .null
            case Tag(.bool) where ["true", "false"].contains(text): self = .bool(text == "true")
            case Tag(.int) where Double(text)?.isFinite == true, Tag(.float) where Double(text)?.isFinite == true:
                self = .number(Double(text) ?? .nan)
            default: throw OpenAPIDocument.Invalid(description: "'\(text)' must be quoted")
            }
        case .alias: throw OpenAPIDocument.Invalid(description: "an alias has no anchor")
        }
    }

    /// The member `name` of an object; nil if this is no object or has no such member.
    subscript(name: String) -> JSONValue? { members[name] }

    /// The members of an object; empty for other values.
    var members: [String: JSONValue] { if case .object(let members) = self { members } else { [:] } }

    /// The text of a string; nil for other values.
    var text: String? { if case .string(let text) = self { text } else { nil } }
}

extension JSONValue? {
    /// The members of an object; empty for other values.
    var members: [String: JSONValue] { self?.members ?? [:] }

    /// The member `name` of an object; nil if this is no object or has no such member.
    subscript(name: String) -> JSONValue? { members[name] }
}
