public import HTTP
import DIA
public import Engine
public import Logging
public import Metrics
import ModelFile
import Synchronization

/// Requests to answers: the routes over one engine.
///
/// Knows HTTP, not sockets.
public final class InferenceService: Sendable {
    /// Limits and names.
    public struct Configuration: Sendable {
        /// The model of paths that name none; nil takes the only model there is.
        public var defaultModel: String?
        /// Pixels of an image that are accepted, and of one that is sent.
        public var maximumPixels = 25_000_000
        /// Steps of one dissolve request.
        public var maximumSteps = 16
        /// Threads that decode images.
        public var decodeThreads = 1
        /// The memory for requests, for work on their images and for answers.
        public var budget = MemoryBudget(bytes: 512 << 20, work: 256 << 20)
        /// The largest body, packed or not.
        public var bodyBytes = 32 << 20
        /// Pieces of work that may wait.
        public var queueCapacity = 256
        /// Images run at once.
        public var maximumBatch = 16
        /// Seconds after which an answer is not worth its work any more; a request may ask for fewer.
        public var timeoutSeconds = 60.0
        /// The status of a request that finds the queue full: 503, or 429 for balancers that take a 503 for a broken
        /// server.
        public var busyStatus = 503
        /// Who may call; nil lets everybody.
        public var keys: APIKeys?
        /// Whether clients may present certificates: then only one that the keys name has administrative rights.
        public var acceptsClientCertificates = false
        /// Whether the log holds the clients' addresses.
        public var logsClientAddresses = true
        /// Proxies whose `X-Forwarded-For` is believed.
        public var trustedProxies = TrustedProxies()
        /// Origins whose pages may call from a browser.
        public var origins: Set<String> = []

        /// The defaults.
        public init() {}
    }

    /// What the service is ready for.
    enum Phase {
        /// The models are being loaded: only what needs none is answered.
        case loading
        case serving
        /// Requests are still answered, but no new ones should be sent here.
        case draining
    }

    /// The server's version.
    public static let version = "0.1.0"

    /// The memory that work on one image of `maximumPixels` may need: three bytes a pixel for the image itself, twice as
    /// many for an answer and the pieces that it is joined of, and what decoding takes beside.
    public static func workBytes(maximumPixels: Int) -> Int { 9 * maximumPixels + (16 << 20) }

    let engine: Engine
    let configuration: Configuration
    let metrics: ServiceMetrics
    let registry: MetricsRegistry
    let input: ImageInput
    let logger: Logger
    private let phase: Mutex<Phase>
    /// Requests that the engine works for, and batches among them.
    let permits = Mutex((all: 0, batches: 0))
    /// Bodies of batches, which are held until their last image is scored: half of what connections may hold.
    let batchBodies: MemoryBudget.Part
    private let access: AccessControl
    private let crossOrigin: CORSPolicy

    /// A service over `engine`, ready at once if that has loaded its models.
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
        registry.observed("dia_model_info", "The models served.") { [engine] in
            engine.models.values.reduce(into: [:]) { values, model in
                let manifest = model.manifest
                values[["model": manifest.name, "version": manifest.version, "digest": model.digest]] = 1
            }
        }
        registry.registerProcessMetrics()
        metrics.export(models: engine.models.keys)
    }

    /// From now on ready: the engine has loaded its models.
    public func beginServing() {
        metrics.export(models: engine.models.keys)
        phase.withLock { if $0 == .loading { $0 = .serving } }
    }

    /// From now on not ready; requests are still answered.
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

    /// From now on `keys` say who may call.
    public func replace(keys: APIKeys) { access.replace(keys) }

    /// The response to a request that its head decides: one that is refused, and one for health or metrics, which must
    /// not wait behind other work. nil if the request is to be handled.
    ///
    /// Counts against the rate of the request's key, so it is asked once for each.
    public func earlyResponse(to head: RequestHead, from peer: Peer = .unknown) -> Response? {
        var context = context(of: head, from: peer)
        let response: Response
        do {
            try check(head, peer, &context)
            if let key = context.key { try access.count(key) }
            guard head.method != "OPTIONS", let route = context.route, route.isImmediate else { return nil }
            response = try immediateResponse(to: route)
        } catch {
            if error.status == 429 { metrics.rejected(.rate) }
            response = error.response(requestID: context.id)
        }
        metrics.requestBegan()
        return finish(response, head, 0, context)
    }

    /// The response to `request`; logs one line, which holds nothing of the image, the path or the query.
    public func respond(to request: Request, from peer: Peer = .unknown) async -> Response {
        var context = context(of: request.head, from: peer)
        metrics.requestBegan()
        let response: Response
        do {
            try check(request.head, peer, &context)
            response = try await answer(request, &context)
        } catch {
            let problem = self.error(error, otherwise: "the request could not be answered")
            response = problem.response(requestID: context.id)
        }
        return finish(response, request.head, request.body.count, context)
    }

    /// The response to bytes that are not a valid request.
    public func errorResponse(for error: RequestError, from peer: Peer = .unknown) -> Response {
        var context = RequestContext()
        if configuration.logsClientAddresses { context.client = peer.address }
        metrics.requestBegan()
        // What is refused for want of room has room again soon.
        let headers: HeaderFields = error.status == 503 ? ["Retry-After": "1"] : [:]
        let problem = ServiceError(error.status, error.reason, headers: headers)
        return finish(problem.response(requestID: context.id), nil, 0, context)
    }

    private func context(of head: RequestHead, from peer: Peer) -> RequestContext {
        var context = RequestContext(head)
        if configuration.logsClientAddresses {
            context.client = configuration.trustedProxies.client(of: head, from: peer)
        }
        return context
    }

    /// Everything that can be said of a request by its head.
    private func check(
        _ head: RequestHead,
        _ peer: Peer,
        _ context: inout RequestContext
    ) throws(ServiceError) {
        if head.path == "*", head.method == "OPTIONS" { return }
        guard head.method != "CONNECT" else { throw ServiceError(501, "this server is not a proxy") }
        guard let route = context.route else {
            throw ServiceError(404, "there is nothing at this path; see /openapi.yaml")
        }
        if head.method == "OPTIONS" { return }
        guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
            throw ServiceError(405, "this path takes \(route.allowed)", headers: ["Allow": route.allowed])
        }
        if let scope = route.scope {
            context.key = access.holder(of: head, peer)
            try access.check(context.key, peer, scope)
        }
        if route.needsModel { _ = try model(route.model) }
        _ = try ContentCoding.isPacked(head)
        switch route {
        case .score, .dissolve, .heatMap: _ = try ImageInput.form(head)
        case .batch: _ = try BatchInput.form(head)
        case .infer: _ = try OpenInference.form(head)
        default: break
        }
        let seconds = try RequestContext.timeout(head, maximum: configuration.timeoutSeconds)
        context.deadline = context.start + .seconds(seconds)
    }

    /// Adds to `response` what every answer has; counts it and logs it once it is whole.
    private func finish(
        _ response: Response,
        _ head: RequestHead?,
        _ received: Int,
        _ context: RequestContext
    ) -> Response {
        var response = response
        response.headers.append("X-Request-ID", context.id)
        response.headers.append("X-Content-Type-Options", "nosniff")
        // What a POST answers may be about a patient's image, errors too: nothing on the way may keep it.
        if head?.method == "POST" { response.headers.append("Cache-Control", "no-store") }
        if let trace = context.trace { response.headers.append("traceparent", trace.field) }
        if context.route?.takesImage == true { response.headers.append("Server-Timing", context.serverTiming) }
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
                received: received,
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
