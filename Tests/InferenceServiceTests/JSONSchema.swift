import ModelFile

/// A validator for the part of JSON Schema (draft 2020-12) that openapi.yaml uses.
///
/// A keyword that it does not know is an error, so that no part of a schema is silently ignored.
struct JSONSchema: Sendable {
    /// A schema that cannot be used for validation.
    struct Invalid: Error, CustomStringConvertible {
        let description: String
    }

    /// The document that `$ref` points into.
    let document: JSONValue
    /// Whether an object must not have members other than its `properties`, unless its schema has
    /// `additionalProperties`.
    let isClosed: Bool

    init(document: JSONValue, isClosed: Bool = false) {
        self.document = document
        self.isClosed = isClosed
    }

    /// Keywords that do not restrict a value.
    private static let annotations: Set<String> = [
        "title", "description", "default", "example", "examples", "deprecated", "format", "contentEncoding",
        "contentMediaType",
    ]

    /// Returns what is wrong with `value`, with the place of each failure; empty if `schema` allows it.
    func failures(of value: JSONValue, _ schema: JSONValue, at place: String = "$") throws(Invalid) -> [String] {
        guard case .object(let keywords) = schema else {
            guard case .bool(let isAllowed) = schema else { throw Invalid(description: "a schema is not an object") }
            return isAllowed ? [] : ["\(place) is not allowed"]
        }
        var failures: [String] = []
        for (keyword, argument) in keywords.sorted(by: { $0.key < $1.key }) {
            guard !Self.annotations.contains(keyword) else { continue }
            failures += try check(keyword, argument, value, place)
        }
        return try failures + undescribed(value, keywords, place)
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        _ value: JSONValue,
        _ place: String
    ) throws(Invalid) -> [String] {
        switch (keyword, argument) {
        case ("$ref", .string(let pointer)): return try failures(of: value, resolve(pointer), at: place)
        case ("type", .string(let name)): return try check([name], value, place)
        case ("type", .array(let names)):
            var types: [String] = []
            for name in names { types.append(try text(name, keyword)) }
            return try check(types, value, place)
        case ("enum", .array(let values)):
            return values.contains(value) ? [] : ["\(place) is not one of the values of 'enum'"]
        case ("const", _): return value == argument ? [] : ["\(place) is not the value of 'const'"]
        case ("allOf", .array(let schemas)):
            var all: [String] = []
            for schema in schemas { all += try failures(of: value, schema, at: place) }
            return all
        case ("anyOf", .array(let schemas)):
            return try matches(value, schemas, place) > 0 ? [] : ["\(place) matches no schema of 'anyOf'"]
        case ("oneOf", .array(let schemas)):
            let count = try matches(value, schemas, place)
            return count == 1 ? [] : ["\(place) matches \(count) schemas of 'oneOf'"]
        default: break
        }
        switch value {
        case .object(let members): return try check(keyword, argument, object: members, place)
        case .array(let elements): return try check(keyword, argument, array: elements, place)
        case .string(let string): return try check(keyword, argument, string: string, place)
        case .number(let number): return try check(keyword, argument, number: number, place)
        case .bool, .null:
            try Self.require(keyword, argument)
            return []
        }
    }

    private func matches(_ value: JSONValue, _ schemas: [JSONValue], _ place: String) throws(Invalid) -> Int {
        var count = 0
        for schema in schemas where try failures(of: value, schema, at: place).isEmpty { count += 1 }
        return count
    }

    private func check(_ types: [String], _ value: JSONValue, _ place: String) throws(Invalid) -> [String] {
        var isMatch = false
        for type in types {
            switch (type, value) {
            case ("null", .null), ("boolean", .bool), ("number", .number), ("string", .string), ("array", .array),
                ("object", .object):
                isMatch = true
            case ("integer", .number(let number)): isMatch = isMatch || number == number.rounded()
            case ("null", _), ("boolean", _), ("number", _), ("string", _), ("array", _), ("object", _),
                ("integer", _):
                break
            default: throw Invalid(description: "'\(type)' is not a type")
            }
        }
        return isMatch ? [] : ["\(place) is not of type \(types.joined(separator: " or "))"]
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        object: [String: JSONValue],
        _ place: String
    ) throws(Invalid) -> [String] {
        var result: [String] = []
        switch (keyword, argument) {
        case ("required", .array(let names)):
            for name in names {
                let name = try text(name, keyword)
                if object[name] == nil { result.append("\(place) lacks '\(name)'") }
            }
        case ("properties", .object(let properties)):
            for (name, schema) in properties {
                guard let member = object[name] else { continue }
                result += try failures(of: member, schema, at: "\(place).\(name)")
            }
        // Checked by `undescribed`, which knows the properties.
        case ("additionalProperties", .object), ("additionalProperties", .bool): break
        default: try Self.require(keyword, argument)
        }
        return result
    }

    /// Checks the members of an object that `properties` does not list.
    private func undescribed(
        _ value: JSONValue,
        _ keywords: [String: JSONValue],
        _ place: String
    ) throws(Invalid) -> [String] {
        guard case .object(let members) = value else { return [] }
        let properties: [String: JSONValue]
        if case .object(let listed) = keywords["properties"] { properties = listed } else { properties = [:] }
        var further = keywords["additionalProperties"]
        // A schema with the type object must describe it; one without may add conditions to another schema.
        if further == nil, isClosed, keywords["properties"] != nil || Self.isObject(keywords["type"]) {
            further = .bool(false)
        }
        guard let further else { return [] }
        var result: [String] = []
        for (name, member) in members.sorted(by: { $0.key < $1.key }) where properties[name] == nil {
            result += try failures(of: member, further, at: "\(place).\(name)")
        }
        return result
    }

    private static func isObject(_ type: JSONValue?) -> Bool {
        if case .array(let types) = type { types.contains(.string("object")) } else { type == .string("object") }
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        array: [JSONValue],
        _ place: String
    ) throws(Invalid) -> [String] {
        switch (keyword, argument) {
        case ("items", _):
            var result: [String] = []
            for (index, element) in array.enumerated() {
                result += try failures(of: element, argument, at: "\(place)[\(index)]")
            }
            return result
        case ("minItems", .number(let limit)) where Double(array.count) < limit,
            ("maxItems", .number(let limit)) where Double(array.count) > limit:
            return ["\(place) has \(array.count) elements, \(keyword) is \(limit)"]
        default:
            try Self.require(keyword, argument)
            return []
        }
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        string: String,
        _ place: String
    ) throws(Invalid) -> [String] {
        let length = string.unicodeScalars.count
        switch (keyword, argument) {
        case ("minLength", .number(let limit)) where Double(length) < limit,
            ("maxLength", .number(let limit)) where Double(length) > limit:
            return ["\(place) has \(length) characters, \(keyword) is \(limit)"]
        case ("pattern", .string(let pattern)):
            guard let regex = try? Regex(pattern) else {
                throw Invalid(description: "'\(pattern)' is not a valid pattern")
            }
            return string.firstMatch(of: regex) == nil ? ["\(place) does not match \(pattern)"] : []
        default:
            try Self.require(keyword, argument)
            return []
        }
    }

    private func check(
        _ keyword: String,
        _ argument: JSONValue,
        number: Double,
        _ place: String
    ) throws(Invalid) -> [String] {
        switch (keyword, argument) {
        case ("minimum", .number(let limit)) where number < limit,
            ("maximum", .number(let limit)) where number > limit,
            ("exclusiveMinimum", .number(let limit)) where number <= limit,
            ("exclusiveMaximum", .number(let limit)) where number >= limit:
            return ["\(place) is \(number), \(keyword) is \(limit)"]
        default:
            try Self.require(keyword, argument)
            return []
        }
    }

    /// Throws unless `keyword` is known and `argument` has the right type for it.
    private static func require(_ keyword: String, _ argument: JSONValue) throws(Invalid) {
        switch (keyword, argument) {
        case ("$ref", .string), ("type", .string), ("type", .array), ("enum", .array), ("const", _), ("allOf", .array),
            ("anyOf", .array), ("oneOf", .array), ("required", .array), ("properties", .object),
            ("additionalProperties", .object), ("additionalProperties", .bool), ("items", .object), ("items", .bool),
            ("minItems", .number), ("maxItems", .number), ("minLength", .number), ("maxLength", .number),
            ("pattern", .string), ("minimum", .number), ("maximum", .number), ("exclusiveMinimum", .number),
            ("exclusiveMaximum", .number):
            return
        default: throw Invalid(description: "the keyword '\(keyword)' is unknown or has the wrong type")
        }
    }

    /// Throws unless every keyword of `schema` and of the schemas inside it is known and every `$ref` leads to a
    /// value, also where no value would be validated.
    func check(_ schema: JSONValue) throws(Invalid) {
        guard case .object(let keywords) = schema else {
            guard case .bool = schema else { throw Invalid(description: "a schema is not an object") }
            return
        }
        for (keyword, argument) in keywords where !Self.annotations.contains(keyword) {
            try Self.require(keyword, argument)
            switch (keyword, argument) {
            case ("$ref", .string(let pointer)): _ = try resolve(pointer)
            case ("properties", .object(let properties)):
                for property in properties.values { try check(property) }
            case ("items", _), ("additionalProperties", _): try check(argument)
            case ("allOf", .array(let schemas)), ("anyOf", .array(let schemas)), ("oneOf", .array(let schemas)):
                for schema in schemas { try check(schema) }
            default: break
            }
        }
    }

    /// Returns the value that a reference such as "#/components/schemas/Score" (RFC 6901) leads to.
    func resolve(_ pointer: String) throws(Invalid) -> JSONValue {
        guard pointer.hasPrefix("#/") else { throw Invalid(description: "'\(pointer)' is not in this document") }
        var value = document
        for part in pointer.dropFirst(2).split(separator: "/", omittingEmptySubsequences: false) {
            let name = String(part).replacing("~1", with: "/").replacing("~0", with: "~")
            guard case .object(let members) = value, let next = members[name] else {
                throw Invalid(description: "'\(pointer)' leads nowhere")
            }
            value = next
        }
        return value
    }

    private func text(_ value: JSONValue, _ keyword: String) throws(Invalid) -> String {
        guard case .string(let text) = value else {
            throw Invalid(description: "an element of '\(keyword)' is not a string")
        }
        return text
    }
}
