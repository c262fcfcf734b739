public import HTTP
import DIA
public import Logging
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
        /// Origins whose pages may call from a browser.
        public var origins: Set<String> = []
        /// More metrics, in Prometheus' text format.
        public var moreMetrics: @Sendable () -> String = { "" }

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
    let isDraining = Mutex(false)
    let underWay = Mutex(0)
    private let access: AccessControl
    private let crossOrigin: CrossOrigin

    /// A service over `engine`, ready at once.
    public init(_ engine: Engine, _ configuration: Configuration, metrics: ServiceMetrics, logger: Logger) {
        self.engine = engine
        self.configuration = configuration
        self.metrics = metrics
        self.logger = logger
        input = ImageInput(
            maximumPixels: configuration.maximumPixels,
            maximumBytes: configuration.bodyBytes,
            threads: configuration.decodeThreads
        )
        access = AccessControl(configuration.keys)
        crossOrigin = CrossOrigin(origins: configuration.origins)
        ProcessMetrics.start()
    }

    /// From now on not ready; requests are still answered.
    public func beginDraining() { isDraining.withLock { $0 = true } }

    /// From now on `keys` say who may call.
    public func replace(keys: APIKeys) { access.replace(keys) }

    /// The answer to a request that its head rules out; nil if it is to be handled.
    ///
    /// Counts against the rate of the request's key, so it is asked once for each.
    public func refusal(of head: RequestHead) -> Response? {
        var context = RequestContext(head)
        do {
            try check(head, &context)
            if let key = context.key { try access.count(key) }
            return nil
        } catch {
            metrics.requestBegan()
            if error.status == 429 { metrics.rejected("rate") }
            return finish(error.response(requestID: context.id), head, 0, context)
        }
    }

    /// The answer to `request`; logs one line, which holds nothing of the image, the path or the query.
    public func respond(to request: Request) async -> Response {
        var context = RequestContext(request.head)
        metrics.requestBegan()
        let response: Response
        do {
            try check(request.head, &context)
            response = try await answer(request, &context)
        } catch let error as ServiceError {
            response = error.response(requestID: context.id)
        } catch {
            response = ServiceError(500, "the request could not be answered").response(requestID: context.id)
        }
        return finish(response, request.head, request.body.count, context)
    }

    /// The answer to bytes that are no request.
    public func refusal(_ error: RequestError) -> Response {
        let context = RequestContext()
        metrics.requestBegan()
        // What is refused for want of room has room again soon.
        let headers: HeaderFields = error.status == 503 ? ["Retry-After": "1"] : [:]
        let problem = ServiceError(error.status, error.reason, headers: headers)
        return finish(problem.response(requestID: context.id), nil, 0, context)
    }

    /// Everything that can be said of a request by its head.
    private func check(_ head: RequestHead, _ context: inout RequestContext) throws(ServiceError) {
        if head.path == "*", head.method == "OPTIONS" { return }
        guard head.method != "CONNECT" else { throw ServiceError(501, "this is no proxy") }
        guard let route = context.route else {
            throw ServiceError(404, "there is nothing at this path; see /openapi.yaml")
        }
        if head.method == "OPTIONS" { return }
        guard head.method == route.method || (head.method == "HEAD" && route.method == "GET") else {
            throw ServiceError(405, "this path takes \(route.allowed)", headers: ["Allow": route.allowed])
        }
        context.key = try access.holder(of: head, route)
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
