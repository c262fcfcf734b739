import DIA
import Engine
import Foundation
import HTTP
import Metrics
import ModelFile
import Synchronization

/// Handlers of the routes.
extension InferenceService {
    func answer(
        _ request: AdmittedRequest,
        _ body: [UInt8],
        _ context: inout RequestContext
    ) async throws -> Response {
        guard let route = request.route else { return Response(204, headers: ["Allow": "GET, HEAD, POST, OPTIONS"]) }
        if request.head.method == "OPTIONS" { return Response(204, headers: ["Allow": route.allowed]) }
        switch route {
        case .page: return Page.response
        case .contract: return Response(200, contentType: "application/yaml", body: Route.contractText)
        case .live, .ready, .metrics, .serverLive, .serverReady: return try immediateResponse(to: route)
        case .models:
            let names = engine.models.keys.sorted()
            let list = ["models": names.compactMap { engine.models[$0].map(object) }]
            return json(list)
        case .model(let name): return json(object(try model(name)))
        case .server: return json(OpenInference.Server(version: Self.version))
        case .repositoryIndex: return repositoryIndex()
        case .repositoryLoad(let name):
            try OpenInference.checkLoad(await input.decompressed(body, of: request, context.deadline).bytes)
            return try await reload(model(name).manifest.name)
        case .statistics:
            return json(statistics.object(engine.models.values.sorted { $0.manifest.name < $1.manifest.name }))
        case .modelMetadata(let name, let version):
            return json(OpenInference.Metadata(try model(name, version: version)))
        case .modelReady(let name, let version): return try ready(model(name, version: version))
        case .modelConfiguration(let name, let version):
            return json(OpenInference.ModelConfiguration(try model(name, version: version)))
        case .modelStatistics(let name, let version):
            return json(statistics.object([try model(name, version: version)]))
        case .infer(let name, let version):
            return try await withModel(name) { try await infer(request, body, checked($0, version: version), &context) }
        case .score(let name): return try await withModel(name) { try await score(request, body, $0, &context) }
        case .batch: preconditionFailure("the body of a batch is streamed")
        case .dissolve(let name): return try await withModel(name) { try await dissolve(request, body, $0, &context) }
        case .heatMap(let name): return try await withModel(name) { try await heatMap(request, body, $0, &context) }
        case .verify(let name): return try await withModel(name) { try await verify($0) }
        case .reload(let name): return try await reload(model(name).manifest.name)
        }
    }

    func json(_ value: some Encodable) -> Response {
        Response(200, contentType: "application/json", body: JSON.encode(value))
    }

    /// Returns the response of a route that is handled immediately.
    func immediateResponse(to route: Route) throws(ServiceError) -> Response {
        let text = "text/plain; charset=utf-8"
        switch route {
        case .live: return Response(200, contentType: text, body: "alive\n".utf8)
        case .serverLive: return json(["live": true])
        case .ready, .serverReady:
            if let unreadiness { throw ServiceError(503, unreadiness, headers: ["Retry-After": "1"]) }
            return route == .ready ? Response(200, contentType: text, body: "ready\n".utf8) : json(["ready": true])
        case .metrics:
            return Response(200, contentType: "text/plain; version=0.0.4; charset=utf-8", body: registry.text.utf8)
        default: preconditionFailure("\(route.pattern) is not handled immediately")
        }
    }

    /// Returns the response of `work` with the model named `name`; throws if too many requests are in progress.
    private func withModel(
        _ name: String?,
        _ work: (Model.Information) async throws -> Response
    ) async throws -> Response {
        try acquirePermit()
        defer { releasePermit() }
        return try await current(name, work)
    }

    /// Returns the result of `work` with the model named `name`; repeats it if a reload replaces the model.
    func current<Result>(
        _ name: String?,
        _ work: (Model.Information) async throws -> Result
    ) async throws -> Result {
        for _ in 0..<3 {
            do {
                return try await work(model(name))
            } catch EngineError.modelReplaced {}
        }
        throw ServiceError(503, "the model is being replaced; try again in 1 s", headers: ["Retry-After": "1"])
    }

    /// Counts a request for the engine until ``releasePermit(isBatch:)``; throws if too many are in progress.
    ///
    /// Decoding happens before the engine's queue and must be limited too. Batches leave half of the permits to other
    /// requests.
    func acquirePermit(isBatch: Bool = false) throws(ServiceError) {
        let isFull = permits.withLock { permits in
            guard permits.all < configuration.queueCapacity,
                !isBatch || permits.batches < max(1, configuration.queueCapacity / 2)
            else { return true }
            permits.all += 1
            permits.batches += isBatch ? 1 : 0
            return false
        }
        if isFull { throw busy(retryAfter: engine.retryAfter) }
    }

    func releasePermit(isBatch: Bool = false) {
        permits.withLock { permits in
            permits.all -= 1
            permits.batches -= isBatch ? 1 : 0
        }
    }

    private func busy(retryAfter seconds: Int) -> ServiceError {
        metrics.rejected(.queueFull)
        return ServiceError(
            configuration.busyStatus,
            "the queue is full or too long for the request's timeout; try again in \(seconds) s",
            headers: ["Retry-After": String(seconds)]
        )
    }

    /// Returns the result of `work` in the engine; errors are converted to responses, except
    /// ``EngineError/modelReplaced``.
    ///
    /// While the engine's queue is full, `work` is repeated until `patience`.
    func engineWork<Result>(
        patience: ContinuousClock.Instant? = nil,
        _ work: () async throws(EngineError) -> Result
    ) async throws -> Result {
        let pause = Duration.milliseconds(100)
        while true {
            do {
                return try await work()
            } catch {
                guard case .busy = error, let patience, .now + pause < patience else { throw rejection(error) }
                try await Task.sleep(for: pause)
            }
        }
    }

    /// Converts any error to a problem for the client.
    func error(_ error: any Error, otherwise detail: String) -> ServiceError {
        switch error {
        case let error as ServiceError: return error
        case let error as WorkPool.Rejection:
            switch error {
            case .busy(let seconds): return busy(retryAfter: seconds)
            case .late: return late()
            case .cancelled: return ServiceError(503, "the request was cancelled")
            }
        default: return ServiceError(500, detail)
        }
    }

    /// The error of an image or a request whose deadline has passed; counts it.
    func late() -> ServiceError {
        metrics.rejected(.late)
        return ServiceError(
            503,
            "the request timed out in the queue",
            headers: ["Retry-After": String(engine.retryAfter)]
        )
    }

    /// Converts an engine error to a service error, except ``EngineError/modelReplaced``.
    private func rejection(_ error: EngineError) -> any Error {
        switch error {
        case .busy(let seconds): return busy(retryAfter: seconds)
        case .deadlineExceeded: return late()
        case .cancelled: return ServiceError(503, "the request was cancelled")
        case .notFinite: return ServiceError(422, "the model's result for this image is not finite")
        case .failedVerification:
            return ServiceError(
                503,
                "the model failed its self-check and is out of service until it is reloaded",
                headers: ["Retry-After": "60"]
            )
        case .modelReplaced: return error
        }
    }

    func object(_ information: Model.Information) -> ModelObject {
        ModelObject(
            information: information,
            isDefault: information.manifest.name == defaultModel,
            drift: engine.driftMonitor.drift(of: information),
            limits: ModelObject.Limits(
                bodyBytes: configuration.bodyBytes,
                pixels: configuration.maximumPixels,
                queue: configuration.queueCapacity,
                batch: configuration.maximumBatch,
                timeoutSeconds: configuration.timeoutSeconds
            )
        )
    }

    /// Model for paths without a model name.
    private var defaultModel: String? {
        configuration.defaultModel ?? (engine.models.count == 1 ? engine.models.keys.first : nil)
    }

    func model(_ name: String?) throws(ServiceError) -> Model.Information {
        let models = engine.models
        guard !models.isEmpty else {
            throw ServiceError(503, unreadiness ?? "there are no models", headers: ["Retry-After": "1"])
        }
        let known = models.keys.sorted().joined(separator: ", ")
        guard let name = name ?? defaultModel else {
            throw ServiceError(404, "there is no default model; use /v1/models/{model}/... with one of \(known)")
        }
        guard let model = models[name] else { throw ServiceError(404, "no such model; the models are \(known)") }
        return model
    }
}
