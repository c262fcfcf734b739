import InferenceService
import Testing

/// Checks that openapi.yaml and the router agree.
@Suite struct ContractTests {
    /// Method and path of each operation in the OpenAPI document.
    private var operations: Set<String> {
        var result: Set<String> = []
        var path = ""
        for line in String(decoding: Route.contractText, as: UTF8.self).split(separator: "\n") {
            if line.hasPrefix("components:") { break }
            if line.hasPrefix("  /"), line.hasSuffix(":") { path = String(line.dropFirst(2).dropLast()) }
            for method in ["get", "post", "put", "delete"] where line == "    \(method):" {
                result.insert("\(method.uppercased()) \(path)")
            }
        }
        return result
    }

    @Test("Every route is in the OpenAPI document, and every path of the document is served")
    func routes() {
        #expect(operations == Set(Route.examples.map { "\($0.method) \($0.pattern)" }))
        for route in Route.examples {
            #expect(Route(path: route.pattern.replacing("{model}", with: "m")) == route)
        }
    }
}
