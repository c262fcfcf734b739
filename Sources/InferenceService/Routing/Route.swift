import HTTP

/// Routes of the service.
package enum Route: Sendable, Hashable {
    case page, contract, live, ready, metrics, models
    case model(String)
    /// Routes of the Open Inference Protocol, version 2.
    case server, serverLive, serverReady
    case repositoryIndex, repositoryLoad(String), statistics
    /// With the model's name and, if the path contains one, its version.
    case modelMetadata(String, version: String? = nil), modelReady(String, version: String? = nil)
    case infer(String, version: String? = nil), modelConfiguration(String, version: String? = nil)
    case modelStatistics(String, version: String? = nil)
    /// With the model's name, or nil for the default model.
    case score(String?), batch(String?), dissolve(String?), heatMap(String?), verify(String?), reload(String?)

    /// Returns the route of `path`, with or without a slash at its end; nil if there is none.
    package init?(path: String) {
        // Split by bytes, not by characters: a slash before a combining mark is still a slash.
        var pieces = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        if pieces.count > 2, pieces[pieces.count - 1].isEmpty, !pieces[pieces.count - 2].isEmpty { pieces.removeLast() }
        let parts = pieces.dropFirst().map { String(decoding: $0, as: UTF8.self) }
        switch parts {
        case [""]: self = .page
        case ["openapi.yaml"]: self = .contract
        case ["livez"]: self = .live
        case ["readyz"]: self = .ready
        case ["metrics"]: self = .metrics
        case ["v1", "models"]: self = .models
        case ["v2"]: self = .server
        case ["v2", "health", "live"]: self = .serverLive
        case ["v2", "health", "ready"]: self = .serverReady
        case ["v2", "repository", "index"]: self = .repositoryIndex
        case ["v2", "models", "stats"]: self = .statistics
        case ["v1", "score"]: self = .score(nil)
        case ["v1", "batch"]: self = .batch(nil)
        case ["v1", "dissolve"]: self = .dissolve(nil)
        case ["v1", "heatmap"]: self = .heatMap(nil)
        case ["v1", "verify"]: self = .verify(nil)
        case ["v1", "reload"]: self = .reload(nil)
        default:
            if parts.count == 5, parts.starts(with: ["v2", "repository", "models"]), parts[4] == "load" {
                self = .repositoryLoad(parts[3])
                return
            }
            guard parts.count >= 3, parts[1] == "models", !parts[2].isEmpty else { return nil }
            if parts[0] == "v2" {
                self.init(model: parts[2], parts.dropFirst(3))
                return
            }
            switch [parts[0]] + parts.dropFirst(3) {
            case ["v1"]: self = .model(parts[2])
            case ["v1", "score"]: self = .score(parts[2])
            case ["v1", "batch"]: self = .batch(parts[2])
            case ["v1", "dissolve"]: self = .dissolve(parts[2])
            case ["v1", "heatmap"]: self = .heatMap(parts[2])
            case ["v1", "verify"]: self = .verify(parts[2])
            case ["v1", "reload"]: self = .reload(parts[2])
            default: return nil
            }
        }
    }

    /// Returns the route of the Open Inference Protocol for `rest`, what follows the name of a model.
    private init?(model: String, _ rest: ArraySlice<String>) {
        var (rest, version) = (rest, String?.none)
        if rest.count >= 2, rest.first == "versions" {
            version = rest.dropFirst().first
            rest = rest.dropFirst(2)
        }
        switch Array(rest) {
        case []: self = .modelMetadata(model, version: version)
        case ["ready"]: self = .modelReady(model, version: version)
        case ["config"]: self = .modelConfiguration(model, version: version)
        case ["stats"]: self = .modelStatistics(model, version: version)
        case ["infer"]: self = .infer(model, version: version)
        default: return nil
        }
    }

    /// Pattern of the route in logs, metrics and openapi.yaml.
    package var pattern: String {
        switch self {
        case .page: "/"
        case .contract: "/openapi.yaml"
        case .live: "/livez"
        case .ready: "/readyz"
        case .metrics: "/metrics"
        case .models: "/v1/models"
        case .model: "/v1/models/{model}"
        case .server: "/v2"
        case .serverLive: "/v2/health/live"
        case .serverReady: "/v2/health/ready"
        case .repositoryIndex: "/v2/repository/index"
        case .repositoryLoad: "/v2/repository/models/{model}/load"
        case .statistics: "/v2/models/stats"
        case .modelMetadata(_, nil): "/v2/models/{model}"
        case .modelMetadata: "/v2/models/{model}/versions/{version}"
        case .modelReady(_, nil): "/v2/models/{model}/ready"
        case .modelReady: "/v2/models/{model}/versions/{version}/ready"
        case .modelConfiguration(_, nil): "/v2/models/{model}/config"
        case .modelConfiguration: "/v2/models/{model}/versions/{version}/config"
        case .modelStatistics(_, nil): "/v2/models/{model}/stats"
        case .modelStatistics: "/v2/models/{model}/versions/{version}/stats"
        case .infer(_, nil): "/v2/models/{model}/infer"
        case .infer: "/v2/models/{model}/versions/{version}/infer"
        case .score(nil): "/v1/score"
        case .score: "/v1/models/{model}/score"
        case .batch(nil): "/v1/batch"
        case .batch: "/v1/models/{model}/batch"
        case .dissolve(nil): "/v1/dissolve"
        case .dissolve: "/v1/models/{model}/dissolve"
        case .heatMap(nil): "/v1/heatmap"
        case .heatMap: "/v1/models/{model}/heatmap"
        case .verify(nil): "/v1/verify"
        case .verify: "/v1/models/{model}/verify"
        case .reload(nil): "/v1/reload"
        case .reload: "/v1/models/{model}/reload"
        }
    }

    /// The text of openapi.yaml.
    package static var contractText: [UInt8] { PackageResources.openapi_yaml }

    /// One route of each pattern, compared with openapi.yaml in tests.
    package static let examples: [Route] = [
        .page, .contract, .live, .ready, .metrics, .models, .model("m"), .server, .serverLive,
        .serverReady, .repositoryIndex, .repositoryLoad("m"), .statistics, .modelMetadata("m"),
        .modelMetadata("m", version: "1"), .modelReady("m"), .modelReady("m", version: "1"), .modelConfiguration("m"),
        .modelConfiguration("m", version: "1"), .modelStatistics("m"), .modelStatistics("m", version: "1"), .infer("m"),
        .infer("m", version: "1"), .score(nil), .score("m"), .batch(nil),
        .batch("m"), .dissolve(nil), .dissolve("m"), .heatMap(nil), .heatMap("m"), .verify(nil), .verify("m"),
        .reload(nil), .reload("m"),
    ]

    /// The method of the route; GET routes also allow HEAD, and all allow OPTIONS.
    package var method: String {
        switch self {
        case .score, .batch, .dissolve, .heatMap, .verify, .reload, .infer, .repositoryIndex, .repositoryLoad: "POST"
        default: "GET"
        }
    }

    /// Whether the route is handled immediately, on the connections' queue: health and metrics, which must not wait
    /// behind other jobs.
    var isImmediate: Bool {
        switch self {
        case .live, .ready, .metrics, .serverLive, .serverReady: true
        default: false
        }
    }

    /// The required scope of a key; nil for public routes.
    var scope: Scope? {
        switch self {
        case .page, .contract, .live, .ready, .server, .serverLive, .serverReady: nil
        case .metrics: .metrics
        case .models, .model, .repositoryIndex, .statistics, .modelMetadata, .modelReady, .modelConfiguration,
            .modelStatistics, .infer, .score, .batch, .dissolve, .heatMap:
            .score
        case .verify, .reload, .repositoryLoad: .admin
        }
    }

    /// Possible statuses of the route, for the metrics.
    var statuses: [Int] {
        let common = [200, 204, 400, 401, 403, 404, 429, 500, 503, RequestLog.abandoned]
        switch self {
        case .page, .contract, .live, .server, .serverLive: return [200, 204]
        case .ready, .serverReady: return [200, 204, 503]
        case .metrics, .models, .model, .repositoryIndex, .statistics, .modelMetadata, .modelReady,
            .modelConfiguration, .modelStatistics:
            return common
        case .score, .batch, .dissolve, .heatMap, .infer: return common + [408, 411, 413, 415, 422]
        case .verify, .reload: return common + [422]
        case .repositoryLoad: return common + [413, 422]
        }
    }

    /// Whether the route uses one model.
    var needsModel: Bool {
        switch self {
        case .page, .contract, .live, .ready, .metrics, .models, .server, .serverLive, .serverReady, .repositoryIndex,
            .statistics:
            false
        case .model, .modelMetadata, .modelReady, .modelConfiguration, .modelStatistics, .infer, .repositoryLoad,
            .score, .batch, .dissolve, .heatMap, .verify, .reload:
            true
        }
    }

    /// The model's name, if the path contains one.
    var model: String? {
        switch self {
        case .model(let name), .repositoryLoad(let name), .modelMetadata(let name, _), .modelReady(let name, _),
            .modelConfiguration(let name, _), .modelStatistics(let name, _), .infer(let name, _):
            name
        case .score(let name), .batch(let name), .dissolve(let name), .heatMap(let name), .verify(let name),
            .reload(let name):
            name
        default: nil
        }
    }

    /// Whether requests contain an image.
    var takesImage: Bool {
        switch self {
        case .score, .dissolve, .heatMap: true
        default: false
        }
    }

    /// Returns the format of the request's body; nil for routes that take none.
    ///
    /// Throws if the head is not acceptable.
    func bodyFormat(_ head: RequestHead) throws(ServiceError) -> BodyFormat? {
        switch self {
        case .score, .dissolve, .heatMap: try ImageInput.format(head)
        case .batch: try BatchInput.format(head)
        case .infer: try OpenInference.format(head)
        default: nil
        }
    }

    /// Value of the Allow field.
    var allowed: String { method == "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS" }
}
