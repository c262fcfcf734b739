import ArgumentParser
import DIA
import Foundation
import HTTP
import HTTPServer
import InferenceService
import Logging
import ModelFile
import Neural

/// The inference service's process: options in, modules wired, signals obeyed.
@main
struct DiaServer: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dia-server",
        abstract: "Serves DIA models over HTTP. For research use, not for diagnosis.",
        discussion: """
            Every option can also come from the environment (--max-body-bytes as DIA_MAX_BODY_BYTES) or from a \
            configuration file, JSON with the options' names as members ({"max-body-bytes": 1000000}). The command \
            line goes before the environment, and that before the file.
            """,
        version: InferenceService.version
    )

    @OptionGroup var options: ServerOptions

    /// The entry point: options from all their sources, then the command.
    static func main() async {
        do {
            let given = Array(CommandLine.arguments.dropFirst())
            let arguments = try OptionSources.arguments(given, environment: ProcessInfo.processInfo.environment)
            var command = try parseAsRoot(arguments)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            exit(withError: error)
        }
    }

    func run() async throws {
        try Processor.requireSupported()
        // A log that nobody reads any more must not end the server.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        let logger = Logger(label: "dia-server")
        let metrics = ServiceMetrics()
        let engine: Engine
        do {
            engine = try Engine(options.engineConfiguration, metrics: metrics) { [options] in
                let directories = try options.modelDirectories()
                // A reload must not take the default model away either.
                _ = try options.serviceConfiguration(models: directories.map(\.manifest.name))
                return directories
            }
        } catch let error as ModelFileError {
            throw ValidationError("a model cannot be loaded: \(error)")
        }
        for (name, model) in engine.models.sorted(by: { $0.key < $1.key }) {
            let metadata: Logger.Metadata = ["model": "\(name)", "digest": "\(model.digest)"]
            logger.info("model loaded", metadata: metadata)
            if model.calibration == nil {
                logger.warning("the model has no calibration: no p-values, no verdicts", metadata: metadata)
            } else if model.calibration?.threshold == nil {
                logger.warning("too few calibration images for alpha: no threshold, no verdicts", metadata: metadata)
            }
        }
        let service = InferenceService(
            engine,
            try options.serviceConfiguration(models: engine.models.keys.sorted()),
            metrics: metrics,
            logger: logger
        )
        let server = HTTPServer(options.serverConfiguration, handler: Handler(service: service), logger: logger)
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let port = try server.listen()
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        let line = "dia-server is ready at http://\(host):\(port)  (research use only, not for diagnosis)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
        var signal = await signals.next()
        while signal == SIGHUP {
            await service.reload()
            signal = await signals.next()
        }
        logger.info("shutting down", metadata: ["signal": "\(signal)"])
        service.beginDraining()
        Task {
            // Whoever signals twice will not wait.
            while await signals.next() == SIGHUP {}
            await server.drain(limit: .zero)
        }
        await server.drain(limit: .seconds(options.drainSeconds))
        logger.info("stopped")
    }
}

/// The service as the HTTP server calls it.
private struct Handler: RequestHandler {
    func refusal(of head: RequestHead) -> Response? { service.refusal(of: head) }
    let service: InferenceService
    func respond(to request: Request) async -> Response { await service.respond(to: request) }
    func refusal(_ error: RequestError) -> Response { service.refusal(error) }
}
