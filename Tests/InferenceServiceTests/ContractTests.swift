import InferenceService
import Testing

/// openapi.yaml and the router hold each other to what they say.
@Suite struct ContractTests {
    /// Path and method of each operation in the contract.
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

    @Test("Every route is in the contract, and every path of the contract is served")
    func routes() {
        #expect(operations == Set(Route.examples.map { "\($0.method) \($0.pattern)" }))
        for route in Route.examples {
            #expect(Route(path: route.pattern.replacing("{model}", with: "m")) == route)
        }
    }
}
