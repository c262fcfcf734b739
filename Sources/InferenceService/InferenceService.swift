import Codecs
import DIA
import Foundation
public import HTTP
import Imaging
public import Logging
import ModelFile
import Synchronization

/// Requests to answers: the routes over one engine.
///
/// Knows HTTP, not sockets.
public final class InferenceService: Sendable {
    /// Limits and names.
    public struct Configuration: Sendable {
        /// The model of paths that name none; nil if they are an error.
        public var defaultModel: String?
        /// Pixels of an image that are accepted, and of one that is sent.
        public var maximumPixels = 25_000_000
        /// Steps of one dissolve request.
        public var maximumSteps = 16
        /// Threads that decode images.
        public var decodeThreads = 1
        /// For the models' metadata: the largest body, the queue, the batch.
        public var bodyBytes = 32 << 20
        /// Pieces of work that may wait.
        public var queueCapacity = 256
        /// Images run at once.
        public var maximumBatch = 16

        /// The defaults.
        public init() {}
    }

    /// The server's version.
    public static let version = "0.1.0"

    let engine: Engine
    let configuration: Configuration
    let metrics: ServiceMetrics
    let input: ImageInput
    let logger: Logger
    private let isDraining = Mutex(false)
    let underWay = Mutex(0)

    /// A service over `engine`, ready at once.
    public init(_ engine: Engine, _ configuration: Configuration, metrics: ServiceMetrics, logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        input = ImageInput(maximumPixels: configuration.maximumPixels, threads: configuration.decodeThreads)
        ProcessMetrics.start()
    }

    /// From now on not ready; requests are still answered.
    public func beginDraining() { isDraining.withLock { $0 = true } }

    /// The answer to `request`; logs one line, which holds nothing of the image, the path or the query.
    public func respond(to request: Request) async -> Response {
        let start = ContinuousClock.now
        let id = RequestID.of(request.head)
        let route = Route(path: request.head.path)
        metrics.requestBegan()
        var response: Response
        do {
            response = try await answer(request, route, id)
        } catch let error as ServiceError {
            response = error.response(requestID: id)
        } catch {
            response = ServiceError(500, "the request could not be answered").response(requestID: id)
        }
        response.headers.append("X-Request-ID", id)
        finish(request.head.method, request.body.count, route, id, response, ContinuousClock.now - start)
        return response
    }

    /// The answer to bytes that are no request.
    public func refusal(_ error: RequestError) -> Response {
        let id = RequestID.fresh()
        metrics.requestBegan()
        var response = ServiceError(error.status, error.reason).response(requestID: id)
        response.headers.append("X-Request-ID", id)
        finish("", 0, nil, id, response, .zero)
        return response
    }

    private func finish(
        _ method: String,
        _ received: Int,
        _ route: Route?,
        _ id: String,
        _ response: Response,
        _ duration: Duration
    ) {
        let method = ["GET", "HEAD", "POST", "OPTIONS"].contains(method) ? method : "other"
        let pattern = route?.pattern ?? "other"
        metrics.requestEnded(method: method, route: pattern, code: response.status, duration: duration)
        logger.info(
            "request",
            metadata: [
                "request_id": "\(id)", "method": "\(method)", "route": "\(pattern)", "status": "\(response.status)",
                "bytes_in": "\(received)", "bytes_out": "\(response.body.count)",
                "seconds": "\(String(format: "%.4f", duration / .seconds(1)))",
            ]
        )
    }

    private func answer(_ request: Request, _ route: Route?, _ id: String) async throws -> Response {
        let method = request.head.method
        if request.head.path == "*", method == "OPTIONS" {
            return Response(204, headers: ["Allow": "GET, HEAD, POST, OPTIONS"])
        }
        guard method != "CONNECT" else { throw ServiceError(501, "this is no proxy") }
        guard let route else { throw ServiceError(404, "there is nothing at this path; see /openapi.yaml") }
        if method == "OPTIONS" { return Response(204, headers: ["Allow": route.allowed]) }
        guard method == route.method || (method == "HEAD" && route.method == "GET") else {
            throw ServiceError(405, "this path takes \(route.allowed)", headers: ["Allow": route.allowed])
        }
        switch route {
        case .page: return Response(200, contentType: "text/html; charset=utf-8", body: PackageResources.index_html)
        case .contract: return Response(200, contentType: "application/yaml", body: Route.contractText)
        case .live: return Response(200, contentType: "text/plain; charset=utf-8", body: "alive\n".utf8)
        case .ready:
            if isDraining.withLock({ $0 }) { throw ServiceError(503, "the server is shutting down") }
            return Response(200, contentType: "text/plain; charset=utf-8", body: "ready\n".utf8)
        case .metrics:
            let models = engine.models.values.map { ($0.manifest.name, $0.manifest.version, $0.digest) }
            let text = metrics.text(models: models.sorted { $0.0 < $1.0 }, version: Self.version)
            return Response(200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: text.utf8)
        case .models:
            let names = engine.models.keys.sorted()
            let list = ["models": names.compactMap { engine.models[$0].map(object) }]
            return Response(200, contentType: "application/json", body: JSON.encode(list))
        case .model(let name):
            return Response(200, contentType: "application/json", body: JSON.encode(object(try model(name))))
        case .score(let name): return try await withModel(name) { try await score(request, $0, id) }
        case .dissolve(let name): return try await withModel(name) { try await dissolve(request, $0) }
        case .verify(let name): return try await withModel(name) { try await verify($0) }
        case .reload(let name): return try await reload(model(name).manifest.name)
        }
    }

    /// The answer of `work` with the model called `name`, begun again if a reload replaces the model meanwhile.
    private func withModel(
        _ name: String?,
        _ work: (Model.Information) async throws -> Response
    ) async throws -> Response {
        // An unknown model is said before a crowd.
        _ = try model(name)
        return try await admitted {
            for _ in 0..<3 {
                do {
                    return try await work(model(name))
                } catch EngineError.replaced {}
            }
            throw ServiceError(503, "the model is being replaced; try again in 1 s", headers: ["Retry-After": "1"])
        }
    }

    func object(_ information: Model.Information) -> ModelObject {
        ModelObject(
            information: information,
            isDefault: information.manifest.name == configuration.defaultModel,
            limits: ModelObject.Limits(
                bodyBytes: configuration.bodyBytes,
                pixels: configuration.maximumPixels,
                queue: configuration.queueCapacity,
                batch: configuration.maximumBatch
            )
        )
    }

    func model(_ name: String?) throws(ServiceError) -> Model.Information {
        let known = engine.models.keys.sorted().joined(separator: ", ")
        guard let name = name ?? configuration.defaultModel else {
            throw ServiceError(404, "there is no default model; name one: /v1/models/{model}/..., of \(known)")
        }
        guard let model = engine.models[name] else { throw ServiceError(404, "no such model; there are \(known)") }
        return model
    }
}
