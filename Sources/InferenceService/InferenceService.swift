public import HTTP
import DIA
public import Engine
public import Logging
public import Metrics
import ModelFile
import Synchronization

/// Handles requests: the routes of the service on top of one engine.
///
/// It is independent of sockets.
public final class InferenceService: Sendable {
    /// Configuration of the service.
    public struct Configuration: Sendable {
        /// Model for paths without a model name; nil selects the only model.
        public var defaultModel: String?
        /// Maximum pixels of a received or sent image.
        public var maximumPixels = 25_000_000
        /// Maximum number of steps in a dissolve request.
        public var maximumSteps = 16
        /// Number of threads that decode images.
        public var decodeThreads = 1
        /// Memory budget for requests, image processing and responses.
        public var budget = MemoryBudget()
        /// Maximum size of a body in bytes, compressed or not.
        public var bodyBytes = RequestLimits().bodyBytes
        /// Maximum number of waiting jobs.
        public var queueCapacity = Engine.Configuration().queueCapacity
        /// Maximum number of images per batch.
        public var maximumBatch = Engine.Configuration().maximumBatch
        /// Request timeout in seconds; a request can set a shorter one.
        public var timeoutSeconds = 60.0
        /// Status of a request when the queue is full: 503, or 429 for load balancers that eject a server on 503.
        public var busyStatus = 503
        /// Clients that may call; nil allows all.
        public var keys: APIKeys?
        /// Whether clients may present certificates; then administration requires one that is listed in the keys.
        public var acceptsClientCertificates = false
        /// Whether client addresses are logged.
        public var logsClientAddresses = true
        /// Proxies whose `X-Forwarded-For` is trusted.
        public var trustedProxies = TrustedProxies()
        /// Origins whose web pages may call the server (CORS).
        public var origins: Set<String> = []

        /// The defaults.
        public init() {}
    }

    /// Phase of the service.
    enum Phase {
        /// The models are being loaded: only requests that need no model are handled.
        case loading
        case serving
        /// Requests are still handled, but new ones should not be sent here.
        case draining
    }

    /// The server's version.
    public static let version = "0.1.0"

    /// Returns the memory in bytes for processing one image of `maximumPixels`.
    ///
    /// It is three bytes per pixel for the image, six for a response and the parts that it is joined from, and memory
    /// for decoding.
    public static func workBytes(maximumPixels: Int) -> Int { 9 * maximumPixels + (16 << 20) }

    let engine: Engine
    let configuration: Configuration
    let metrics: ServiceMetrics
    let registry: MetricsRegistry
    let input: ImageInput
    let logger: Logger
    private let phase: Mutex<Phase>
    /// Number of requests in progress for the engine, and of batches among them.
    let permits = Mutex((all: 0, batches: 0))
    /// Budget for bodies of batches, which are held until their last image is scored: half of the connections'
    /// budget.
    let batchBodies: MemoryBudget.Part
    /// Statistics of the Open Inference Protocol.
    let statistics = OpenInference.Statistics()
    private let access: AccessControl
    private let crossOrigin: CORSPolicy

    /// Creates a service on top of `engine`; it is ready immediately if the engine has loaded its models.
    public init(_ engine: Engine, _ configuration: Configuration, metrics registry: MetricsRegistry, logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.registry = registry
        metrics = ServiceMetrics(registry, version: Self.version)
        self.logger = logger
        input = ImageInput(
            maximumPixels: configuration.maximumPixels,
            maximumBytes: configuration.bodyBytes,
            threads: configuration.decodeThreads,
            budget: configuration.budget
        )
        batchBodies = MemoryBudget.Part(limit: configuration.budget.buffers.limit / 2)
        phase = Mutex(engine.models.isEmpty ? .loading : .serving)
        access = AccessControl(configuration.keys, acceptsCertificates: configuration.acceptsClientCertificates)
        crossOrigin = CORSPolicy(origins: configuration.origins)
        registry.observed("dia_model_info", "Loaded models.") { [engine] in
            engine.models.values.reduce(into: [:]) { values, model in
                let manifest = model.manifest
                values[["model": manifest.name, "version": manifest.version, "digest": model.digest]] = 1
            }
        }
        registry.registerDriftMetrics(engine)
        registry.registerProcessMetrics()
        metrics.export(models: engine.models.keys)
    }

    /// Marks the service ready, after the engine has loaded its models.
    public func beginServing() {
        metrics.export(models: engine.models.keys)
        phase.withLock { if $0 == .loading { $0 = .serving } }
    }

    /// Marks the service not ready; requests are still handled.
    public func beginDraining() { phase.withLock { $0 = .draining } }

    /// Why the service is not ready; nil if it is.
    var unreadiness: String? {
        switch phase.withLock({ $0 }) {
        case .loading: "the models are being loaded"
        case .draining: "the server is shutting down"
        case .serving: nil
        }
    }

    /// Whether the models are still being loaded.
    public var isLoading: Bool { phase.withLock { $0 == .loading } }

    /// Replaces the keys.
    public func replace(keys: APIKeys) { access.replace(keys) }

    /// Checks the head of a request.
    ///
    /// Refused requests get a response immediately, and so do requests for health or metrics, which must not wait
    /// behind other jobs. The call counts against the rate limit of the request's key, so it must be made once per
    /// request.
    public func admit(_ head: RequestHead, from peer: Peer = .unknown) -> Admission {
        var context = context(of: head, from: peer)
        let response: Response
        do {
            let request = try check(head, peer, &context)
            if let key = context.key { try access.count(key) }
            guard head.method != "OPTIONS", let route = request.route, route.isImmediate else { return .admit(request) }
            response = try immediateResponse(to: route)
        } catch {
            if error.status == 429 { metrics.rejected(.rate) }
            context.reason = error.reason
            response = error.response(requestID: context.id)
        }
        metrics.requestBegan()
        return .respond(finish(response, head, { _ in (0, 0) }, context))
    }

    /// Returns the response to an admitted request with a complete `body`.
    ///
    /// Logs one line, which contains nothing of the image, the path or the query.
    public func respond(to request: AdmittedRequest, body: [UInt8]) async -> Response {
        guard !request.streamsBody else { return await respond(to: request, streaming: BufferedBody(body)) }
        return await respond(to: request, received: { (body.count, $0.ignoredFields) }) { context in
            try await answer(request, body, &context)
        }
    }

    /// Returns the response to an admitted request whose `body` is still arriving; it may begin before the body has ended.
    ///
    /// Logs one line, which contains nothing of the images, the path or the query.
    public func respond(to request: AdmittedRequest, streaming body: any BodySource) async -> Response {
        let counted = CountedBody(body)
        return await respond(to: request, received: { _ in (counted.count, counted.ignoredFields) }) { context in
            guard case .batch(let name)? = request.route else { throw ServiceError(500, "the body cannot be streamed") }
            return try await batch(request, counted, model(name).manifest.name, &context)
        }
    }

    /// Bytes of a body, and fields of a form that were ignored, when the response is complete.
    private typealias Received = (bytes: Int, ignoredFields: Int)

    private func respond(
        to request: AdmittedRequest,
        received: @escaping @Sendable (RequestContext) -> Received,
        _ answer: (inout RequestContext) async throws -> Response
    ) async -> Response {
        var context = request.context
        context.begin(timeout: request.timeout)
        metrics.requestBegan()
        let response: Response
        do {
            if let scope = request.route?.scope { try access.confirm(context.key, scope) }
            response = try await answer(&context)
        } catch {
            let problem = self.error(error, otherwise: "the request could not be processed")
            context.reason = problem.reason
            response = problem.response(requestID: context.id)
        }
        return finish(response, request.head, received, context)
    }

    /// Returns the response to bytes that are not a valid request.
    public func errorResponse(for error: RequestError, from peer: Peer = .unknown) -> Response {
        var context = RequestContext()
        if configuration.logsClientAddresses { context.client = peer.address }
        metrics.requestBegan()
        let problem = ServiceError(error)
        context.reason = problem.reason
        return finish(problem.response(requestID: context.id), nil, { _ in (0, 0) }, context)
    }

    private func context(of head: RequestHead, from peer: Peer) -> RequestContext {
        var context = RequestContext(head)
        if configuration.logsClientAddresses {
            context.client = configuration.trustedProxies.client(of: head, from: peer)
        }
        return context
    }

    /// Checks everything that can be decided from the head, and sets the key in `context`.
    private func check(
        _ head: RequestHead,
        _ peer: Peer,
        _ context: inout RequestContext
    ) throws(ServiceError) -> AdmittedRequest {
        let isForServer = head.path == "*" && head.method == "OPTIONS"
        guard head.method != "CONNECT" else { throw ServiceError(501, "this server is not a proxy") }
        let route = isForServer ? nil : context.route
        guard isForServer || route != nil else {
            throw ServiceError(404, OpenInference.advice(for: head.path) ?? "no such path; see /openapi.yaml")
        }
        var (bodyFormat, coding) = (BodyFormat?.none, ContentCoding?.none)
        var (seconds, batchTimeout) = (configuration.timeoutSeconds, Duration?.none)
        if head.method != "OPTIONS", let route {
            guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
                throw ServiceError(405, "this path allows only \(route.allowed)", headers: ["Allow": route.allowed])
            }
            if let scope = route.scope {
                context.key = try access.holder(of: head, peer)
                try access.check(context.key, peer, scope)
            }
            if route.needsModel { _ = try model(route.model) }
            coding = try ContentCoding.of(head)
            bodyFormat = try route.bodyFormat(head)
            let limit = try RequestContext.timeout(head)
            // The timeout of a batch is for each image, unless the client sets one for the whole.
            if case .batch = route {
                batchTimeout = limit.map { .seconds($0) }
            } else if let limit {
                seconds = min(seconds, limit)
            }
        }
        return AdmittedRequest(
            head: head,
            route: route,
            bodyFormat: bodyFormat,
            coding: coding,
            timeout: .seconds(seconds),
            batchTimeout: batchTimeout,
            context: context
        )
    }

    /// Adds the fields of every response; counts and logs the response when it is complete.
    private func finish(
        _ response: Response,
        _ head: RequestHead?,
        _ received: @escaping @Sendable (RequestContext) -> Received,
        _ context: RequestContext
    ) -> Response {
        var response = response
        response.headers.append("X-Request-ID", context.id)
        response.headers.append("X-Content-Type-Options", "nosniff")
        // A response to POST, even an error, may concern a patient's image: caches must not store it.
        if head?.method == "POST" { response.headers.append("Cache-Control", "no-store") }
        if let trace = context.trace { response.headers.append("traceparent", trace.field) }
        response.headers.append("Server-Timing", context.serverTiming)
        // nginx would otherwise hold back the lines of a batch.
        if response.stream != nil { response.headers.append("X-Accel-Buffering", "no") }
        if let head {
            crossOrigin.apply(to: &response, head)
            if head.method == "OPTIONS", let route = context.route {
                crossOrigin.preflight(&response, head, allowed: route.allowed)
            }
            ContentCoding.apply(to: &response, head)
        }
        let (method, status) = (head?.method, response.status)
        let note: @Sendable (Int, Bool) -> Void = { [metrics, logger] sent, isAbandoned in
            let line = RequestLog(
                context: context,
                method: method,
                status: isAbandoned ? RequestLog.abandoned : status,
                received: received(context),
                sent: sent
            )
            metrics.requestEnded(method: line.method, route: line.route, code: line.status, duration: line.duration)
            logger.info("request", metadata: line.metadata)
        }
        if let stream = response.stream {
            response.stream = ObservedStream(stream) { note($0.bytes, $0.isAbandoned) }
        } else {
            note(response.body.count, Task.isCancelled)
        }
        return response
    }
}
