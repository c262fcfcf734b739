import Engine
import HTTP
import InferenceService
import ModelFile
import Testing

/// Checks of openapi.yaml itself, and that it lists the routes of the router.
///
/// ``DocumentedService`` compares each response in the other tests with the document.
@Suite struct ContractTests {
    private let document: OpenAPIDocument

    init() throws { document = try OpenAPIDocument.served.get() }

    @Test("Every route is in the OpenAPI document, and every path of the document is served")
    func routes() {
        let documented = Set(document.operations.map { "\($0.method) \($0.path)" })
        #expect(documented == Set(Route.examples.map { "\($0.method) \($0.pattern)" }))
        for route in Route.examples {
            let path = route.pattern.replacing("{model}", with: "m").replacing("{version}", with: "1")
            #expect(Route(path: path) == route)
        }
    }

    @Test("Every schema has only keywords that the validator knows, and every reference leads somewhere")
    func schemas() throws {
        let validator = JSONSchema(document: document.root)
        var count = 0
        for (place, object) in document.objects {
            do {
                if let schema = object["schema"] { try validator.check(schema) }
                if place == "#/components/schemas" {
                    for schema in object.members.values { try validator.check(schema) }
                }
                if case .string(let pointer) = object["$ref"] { _ = try validator.resolve(pointer) }
            } catch {
                Issue.record("\(place): \(error)")
            }
            count += object["schema"] == nil ? 0 : 1
        }
        #expect(count > 40)
    }

    @Test("Every example is valid for its schema")
    func examples() throws {
        var count = 0
        for (place, object) in document.objects {
            guard let schema = object["schema"] else { continue }
            let named = try object["examples"].members.mapValues { try document.resolved($0)["value"] ?? .null }
            for example in [object["example"]].compactMap({ $0 }) + named.values {
                let isClosed = place.contains("/responses/")
                let validator = JSONSchema(document: document.root, isClosed: isClosed)
                let failures = try validator.failures(of: example, schema)
                #expect(failures == [], "\(place)")
                count += 1
            }
        }
        #expect(count > 30)
    }

    @Test("Every JSON body has a schema and an example, and every response has a request ID and timings")
    func completeness() throws {
        var bodies = 0
        for (place, object) in document.objects {
            for (type, media) in object["content"].members where type.hasSuffix("json") {
                #expect(media["schema"] != nil, "\(place) \(type)")
                #expect(media["example"] != nil || !media["examples"].members.isEmpty, "\(place) \(type)")
                bodies += 1
            }
        }
        #expect(bodies > 20)
        let shared = document.root["components"]["responses"].members.map { ($0.key, $0.value) }
        let own = document.operations.flatMap { operation in
            operation.responses.map { ("\(operation.method) \(operation.path) \($0.key)", $0.value) }
        }
        for (place, response) in shared + own {
            for name in ["X-Request-ID", "Server-Timing"] {
                let header = try document.resolved(response)["headers"][name] ?? .null
                #expect(try document.resolved(header)["required"] == .bool(true), "\(place) \(name)")
            }
        }
        // What RFC 9110 requires or recommends of a status.
        for (status, header) in ["401": "WWW-Authenticate", "429": "Retry-After", "503": "Retry-After"] {
            for operation in document.operations {
                guard let response = operation.responses[status] else { continue }
                let documented = try document.resolved(response)["headers"][header] ?? .null
                #expect(try document.resolved(documented)["required"] == .bool(true), "\(operation.path) \(status)")
            }
        }
    }

    @Test("A response has all its members, except those that depend on the model or the request")
    func optionalMembers() {
        var optional: Set<String> = []
        for (place, object) in document.objects {
            guard place.contains("/responses/") || place.hasPrefix("#/components/schemas/") else { continue }
            let name = place.split(separator: "/").last.map(String.init) ?? ""
            let required: [JSONValue] = if case .array(let names) = object["required"] { names } else { [] }
            for member in object["properties"].members.keys where !required.contains(.string(member)) {
                optional.insert("\(name).\(member)")
            }
        }
        // A member that is always sent must be required, so that clients can rely on it.
        let expected: Set<String> = [
            "BatchImage.id", "BatchLine.error", "BatchLine.filename", "BatchLine.id", "BatchLine.result",
            "InferenceResult.id",
            "InputParameters.bits", "InputParameters.photometric", "InputParameters.window_center",
            "InputParameters.window_width", "InputTensor.data", "InputTensor.parameters", "Model.description",
            "Model.intended_use", "Model.license", "Model.rendering", "rendering.photometric", "rendering.window",
            "calibration.threshold", "components.parts", "drift.structure", "drift.texture",
            "Score.provenance", "parameters.binary_data_size", "score.parts",
        ]
        #expect(optional == expected)
    }

    @Test("The document has every status with which bytes that are not a valid request are rejected")
    func invalidRequests() throws {
        let service = DocumentedService(phantom: try Engine.phantom())
        for status in [400, 408, 413, 414, 417, 431, 501, 503, 505] {
            #expect(service.errorResponse(for: RequestError(status, "a reason")).status == status)
        }
    }
}
