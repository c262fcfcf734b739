import Engine
import HTTP
import InferenceService
import Logging
import Metrics
import Synchronization
import Testing

/// A service whose responses are compared with openapi.yaml: a test fails that receives a status, a content type or a
/// member that the document does not have, or a response without a header or member that the document requires.
struct DocumentedService: Sendable {
    let service: InferenceService

    init(
        _ engine: Engine,
        _ configuration: InferenceService.Configuration,
        metrics: MetricsRegistry,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) {
        service = InferenceService(engine, configuration, metrics: metrics, logger: logger)
    }

    func beginDraining() { service.beginDraining() }

    func replace(keys: APIKeys) { service.replace(keys: keys) }

    func earlyResponse(
        to head: RequestHead,
        from peer: Peer = .unknown,
        sourceLocation: SourceLocation = #_sourceLocation
    ) -> Response? {
        service.earlyResponse(to: head, from: peer).map { checked($0, head, sourceLocation) }
    }

    func respond(
        to request: Request,
        from peer: Peer = .unknown,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async -> Response {
        checked(await service.respond(to: request, from: peer), request.head, sourceLocation)
    }

    func errorResponse(for error: RequestError, sourceLocation: SourceLocation = #_sourceLocation) -> Response {
        let response = service.errorResponse(for: error)
        do {
            let failures = try OpenAPIDocument.served.get().failures(ofErrorResponse: response)
            record(failures, "\(response.status)", sourceLocation)
        } catch {
            record(["\(error)"], "openapi.yaml", sourceLocation)
        }
        return response
    }

    /// Records what the document does not allow in `response`, and returns it with its stream checked in turn.
    private func checked(_ response: Response, _ head: RequestHead, _ sourceLocation: SourceLocation) -> Response {
        let request = "\(head.method) \(head.path)"
        do {
            let document = try OpenAPIDocument.served.get()
            record(document.failures(of: response, to: head), "\(request): \(response.status)", sourceLocation)
            var response = response
            response.stream = response.stream.map { stream in
                CheckedLines(stream) { line in
                    record(document.failures(ofLine: line, to: head), "\(request): a line", sourceLocation)
                }
            }
            return response
        } catch {
            record(["\(error)"], "openapi.yaml", sourceLocation)
            return response
        }
    }

    private func record(_ failures: [String], _ place: String, _ sourceLocation: SourceLocation) {
        guard !failures.isEmpty else { return }
        Issue.record(
            "\(place) is not as in openapi.yaml: \(failures.joined(separator: "; "))",
            sourceLocation: sourceLocation
        )
    }
}

/// A stream that passes each line, without its end, to a function.
private final class CheckedLines: BodyStream {
    private let stream: any BodyStream
    private let check: @Sendable ([UInt8]) -> Void
    /// The start of a line whose end has not been sent yet.
    private let started = Mutex<[UInt8]>([])

    init(_ stream: any BodyStream, check: @escaping @Sendable ([UInt8]) -> Void) {
        self.stream = stream
        self.check = check
    }

    func next() async throws -> [UInt8]? {
        let piece = try await stream.next()
        let lines = started.withLock { started in
            // At the end of the stream, a line without an end counts as a line.
            guard let piece else { return started.isEmpty ? [] : [started] }
            var lines = (started + piece).split(separator: 0x0A, omittingEmptySubsequences: false).map(Array.init)
            started = lines.removeLast()
            return lines
        }
        for line in lines { check(line) }
        return piece
    }

    func cancel() { stream.cancel() }
}
