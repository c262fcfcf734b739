import HTTP

/// The service's paths.
package enum Route: Sendable, Hashable {
    case page, contract, live, ready, metrics, models
    case model(String)
    /// The model's name, or nil for the default model.
    case score(String?), batch(String?), dissolve(String?), verify(String?), reload(String?)

    /// The route of `path`; nil if there is none.
    package init?(path: String) {
        // By bytes, never by characters: a slash before a combining mark is a slash.
        let pieces = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let parts = pieces.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        switch parts {
        case [""]: self = .page
        case ["openapi.yaml"]: self = .contract
        case ["livez"]: self = .live
        case ["readyz"]: self = .ready
        case ["metrics"]: self = .metrics
        case ["v1", "models"]: self = .models
        case ["v1", "score"]: self = .score(nil)
        case ["v1", "batch"]: self = .batch(nil)
        case ["v1", "dissolve"]: self = .dissolve(nil)
        case ["v1", "verify"]: self = .verify(nil)
        case ["v1", "reload"]: self = .reload(nil)
        default:
            guard parts.count >= 3, parts[0] == "v1", parts[1] == "models", !parts[2].isEmpty else { return nil }
            switch parts.dropFirst(3) {
            case []: self = .model(parts[2])
            case ["score"]: self = .score(parts[2])
            case ["batch"]: self = .batch(parts[2])
            case ["dissolve"]: self = .dissolve(parts[2])
            case ["verify"]: self = .verify(parts[2])
            case ["reload"]: self = .reload(parts[2])
            default: return nil
            }
        }
    }

    /// The pattern that stands for the route in logs, metrics and openapi.yaml.
    package var pattern: String {
        switch self {
        case .page: "/"
        case .contract: "/openapi.yaml"
        case .live: "/livez"
        case .ready: "/readyz"
        case .metrics: "/metrics"
        case .models: "/v1/models"
        case .model: "/v1/models/{model}"
        case .score(nil): "/v1/score"
        case .score: "/v1/models/{model}/score"
        case .batch(nil): "/v1/batch"
        case .batch: "/v1/models/{model}/batch"
        case .dissolve(nil): "/v1/dissolve"
        case .dissolve: "/v1/models/{model}/dissolve"
        case .verify(nil): "/v1/verify"
        case .verify: "/v1/models/{model}/verify"
        case .reload(nil): "/v1/reload"
        case .reload: "/v1/models/{model}/reload"
        }
    }

    /// The contract, openapi.yaml.
    package static var contractText: [UInt8] { PackageResources.openapi_yaml }

    /// One route of each pattern: what the contract is held to.
    package static let examples: [Route] = [
        .page, .contract, .live, .ready, .metrics, .models, .model("m"), .score(nil), .score("m"), .batch(nil),
        .batch("m"), .dissolve(nil), .dissolve("m"), .verify(nil), .verify("m"), .reload(nil), .reload("m"),
    ]

    /// The method it is for; HEAD goes wherever GET does, OPTIONS everywhere.
    package var method: String {
        switch self {
        case .score, .batch, .dissolve, .verify, .reload: "POST"
        default: "GET"
        }
    }

    /// What a key must be good for; nil for what anybody may see.
    var scope: Scope? {
        switch self {
        case .page, .contract, .live, .ready: nil
        case .metrics: .metrics
        case .models, .model, .score, .batch, .dissolve: .score
        case .verify, .reload: .admin
        }
    }

    /// Whether it is about one model.
    var needsModel: Bool {
        switch self {
        case .page, .contract, .live, .ready, .metrics, .models: false
        case .model, .score, .batch, .dissolve, .verify, .reload: true
        }
    }

    /// The model's name, if it holds one.
    var model: String? {
        switch self {
        case .model(let name): name
        case .score(let name), .batch(let name), .dissolve(let name), .verify(let name), .reload(let name): name
        default: nil
        }
    }

    /// Whether its requests hold an image.
    var takesImage: Bool {
        switch self {
        case .score, .dissolve: true
        default: false
        }
    }

    /// Whether its requests hold any number of images.
    var takesBatch: Bool {
        if case .batch = self { true } else { false }
    }

    /// The Allow field's value.
    var allowed: String { method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS" }
}
