import Client
import Dispatch
import Engine
import Foundation
import HTTP
import InferenceService
import Logging
import Metrics
import ModelFile
import Neural
import Synchronization

/// Passes requests to a service within this process: the same responses as from a server, without one.
final class OfflineTransport: Transport {
    private let service: InferenceService

    /// Loads the models in the folder `models`; requests take at most `seconds`.
    init(models: String, seconds: Double) throws {
        try Processor.requireSupported()
        let threads = ProcessorCount.available
        try AddressSpace.requireRoom(threads: threads)
        var engineConfiguration = Engine.Configuration()
        engineConfiguration.threads = threads
        let metrics = MetricsRegistry()
        let engine = Engine(engineConfiguration, metrics: metrics) { try ModelListing(folder: models) }
        _ = try engine.load()
        var configuration = InferenceService.Configuration()
        configuration.decodeThreads = threads
        configuration.timeoutSeconds = seconds
        let logger = Logger(label: "dia") { _ in SwiftLogNoOpLogHandler() }
        service = InferenceService(engine, configuration, metrics: metrics, logger: logger)
    }

    func send(_ request: ServiceRequest) throws(ClientError) -> Response {
        let path = request.path.split(separator: "/").map { String($0).removingPercentEncoding ?? String($0) }
        var head = RequestHead(
            method: request.body == nil ? "GET" : "POST",
            path: "/" + path.joined(separator: "/"),
            rawQuery: request.query,
            headers: request.headers
        )
        head.headers.append("Host", "localhost")
        if let body = request.body { head.headers.append("Content-Length", String(body.count)) }
        switch service.admit(head) {
        case .respond(let response): return response
        case .admit(let admitted): return respond(to: admitted, request.body ?? [])
        }
    }

    /// Waits for the response on this thread, which is not one of Swift's own.
    private func respond(to request: AdmittedRequest, _ body: [UInt8]) -> Response {
        let waiting = Waiting()
        Task { [service] in waiting.finish(await service.respond(to: request, body: body)) }
        return waiting.response()
    }

    /// A response that a thread waits for.
    private final class Waiting: Sendable {
        private let result = Mutex<Response?>(nil)
        private let isDone = DispatchSemaphore(value: 0)

        func finish(_ response: Response) {
            result.withLock { $0 = response }
            isDone.signal()
        }

        func response() -> Response {
            isDone.wait()
            guard let response = result.withLock({ $0 }) else { preconditionFailure("signaled without a response") }
            return response
        }
    }
}
