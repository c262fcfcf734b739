import Foundation
import ModelFile
import Testing

/// The validator that holds responses to openapi.yaml must itself reject what a schema does not allow.
@Suite struct JSONSchemaTests {
    private func json(_ text: String) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    private func failures(_ schema: String, _ value: String, isClosed: Bool = false) throws -> [String] {
        let document = try json(#"{"schemas": {"small": {"type": "integer", "maximum": 9}}}"#)
        return try JSONSchema(document: document, isClosed: isClosed).failures(of: json(value), json(schema))
    }

    @Test(
        "Each keyword accepts a value that it allows and rejects one that it does not",
        arguments: [
            (##"{"$ref": "#/schemas/small"}"##, "9", "10"),
            (#"{"type": "null"}"#, "null", "0"), (#"{"type": "boolean"}"#, "false", "0"),
            (#"{"type": "integer"}"#, "2.0", "2.5"), (#"{"type": "number"}"#, "2.5", #""2.5""#),
            (#"{"type": "string"}"#, #""""#, "1"), (#"{"type": "array"}"#, "[]", "{}"),
            (#"{"type": "object"}"#, "{}", "[]"), (#"{"type": ["string", "null"]}"#, "null", "false"),
            (#"{"enum": [1, "a", null]}"#, #""a""#, #""b""#), (#"{"const": {"a": 1}}"#, #"{"a": 1}"#, #"{"a": 2}"#),
            (#"{"properties": {"a": {"type": "string"}}}"#, #"{"a": "", "b": 1}"#, #"{"a": 1}"#),
            (#"{"required": ["a", "b"]}"#, #"{"a": null, "b": 1}"#, #"{"a": 1}"#),
            (#"{"properties": {"a": {}}, "additionalProperties": false}"#, #"{"a": 1}"#, #"{"a": 1, "b": 1}"#),
            (#"{"additionalProperties": {"type": "number"}}"#, #"{"a": 1}"#, #"{"a": "1"}"#),
            (#"{"items": {"type": "number"}}"#, "[1, 2]", #"[1, "2"]"#),
            (#"{"minItems": 2}"#, "[1, 1]", "[1]"), (#"{"maxItems": 2}"#, "[1, 1]", "[1, 1, 1]"),
            (#"{"minimum": 1}"#, "1", "0.9"), (#"{"maximum": 1}"#, "1", "1.1"),
            (#"{"exclusiveMinimum": 1}"#, "1.1", "1"), (#"{"exclusiveMaximum": 1}"#, "0.9", "1"),
            (#"{"minLength": 2}"#, #""ab""#, #""a""#), (#"{"maxLength": 2}"#, #""é\u0301""#, #""abc""#),
            (#"{"pattern": "^a+$"}"#, #""aa""#, #""ab""#),
            (#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, "1.5", "3"),
            (#"{"anyOf": [{"type": "null"}, {"maximum": 2}]}"#, "null", "3"),
            (#"{"oneOf": [{"minimum": 1}, {"maximum": 2}]}"#, "3", "1.5"),
            (#"{"items": false}"#, "[]", "[1]"),
        ]
    )
    func keywords(_ schema: String, _ allowed: String, _ refused: String) throws {
        #expect(try failures(schema, allowed) == [])
        #expect(try failures(schema, refused).count == 1)
    }

    @Test("A keyword restricts only values of its own type")
    func otherTypes() throws {
        let schema = #"{"minimum": 5, "maxLength": 1, "required": ["a"], "minItems": 3, "pattern": "x"}"#
        for value in ["null", "true"] { #expect(try failures(schema, value) == []) }
        #expect(try failures(schema, "4").count == 1)
        #expect(try failures(schema, "{}").count == 1)
    }

    @Test("A closed object has no member that its schema does not list, at any depth")
    func closed() throws {
        let schema = #"{"properties": {"a": {"type": "array", "items": {"properties": {"b": {}}}}}}"#
        #expect(try failures(schema, #"{"a": [{"b": 1}]}"#, isClosed: true) == [])
        #expect(try failures(schema, #"{"a": [{"b": 1, "c": 1}]}"#, isClosed: true) == ["$.a[0].c is not allowed"])
        #expect(try failures(schema, #"{"a": [{"b": 1, "c": 1}]}"#) == [])
        // An object whose members are not described at all.
        #expect(try failures(#"{"type": ["object", "null"]}"#, #"{"a": 1}"#, isClosed: true).count == 1)
        #expect(try failures(#"{"type": "object", "additionalProperties": true}"#, #"{"a": 1}"#, isClosed: true) == [])
        // A condition on an object that another schema describes.
        let both = #"{"properties": {"a": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}"#
        #expect(try failures(both, #"{"a": 1}"#, isClosed: true) == [])
    }

    @Test(
        "A schema that cannot be used is an error, even where no value would be validated",
        arguments: [
            #"{"multipleOf": 2}"#, #"{"properties": {"a": {"minimun": 1}}}"#, #"{"items": {"uniqueItems": true}}"#,
            #"{"anyOf": [{}, {"if": {}}]}"#, #"{"additionalProperties": {"nullable": true}}"#,
            #"{"minimum": "1"}"#, #"{"required": "a"}"#, ##"{"$ref": "#/schemas/none"}"##,
            #"{"$ref": "other.yaml"}"#, #"{"properties": {"a": 1}}"#,
        ]
    )
    func unusable(_ schema: String) throws {
        let validator = JSONSchema(document: try json(#"{"schemas": {}}"#))
        #expect(throws: JSONSchema.Invalid.self) { try validator.check(json(schema)) }
    }

    @Test(
        "A keyword that is not known is an error when it is reached",
        arguments: ["null", "1", #""a""#, "[1]", #"{"a": 1}"#]
    )
    func unknown(_ value: String) throws {
        for schema in [#"{"dependentRequired": {}}"#, #"{"type": "date"}"#, #"{"anyOf": [{}, {"multipleOf": 2}]}"#] {
            #expect(throws: JSONSchema.Invalid.self) { try failures(schema, value) }
        }
    }
}
