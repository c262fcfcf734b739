import ArgumentParser
import DIA
import Foundation
import HTTP
import HTTPServer
import InferenceService
import Logging
import ModelFile
import Neural
import StructuredLogging
import TLS

/// The command that serves.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves models (the command by default).",
        discussion: """
            Every option can also come from the environment (--max-body-bytes as DIA_MAX_BODY_BYTES) or from a \
            configuration file, JSON with the options' names as members ({"max-body-bytes": 1000000}). The command \
            line goes before the environment, and that before the file.
            """
    )

    @OptionGroup var options: ServerOptions

    func run() async throws {
        try Processor.requireSupported()
        // A log that nobody reads any more must not end the server.
        signal(SIGPIPE, SIG_IGN)
        let writer = LogWriter(descriptor: STDERR_FILENO) { [format = options.logFormat] count in
            let members: Logger.Metadata = ["lines": .stringConvertible(count)]
            return format.line(.warning, "log lines dropped", members, time: Date().timeIntervalSince1970)
        }
        LoggingSystem.bootstrap { [options] _ in
            LineLogHandler(format: options.logFormat, level: options.logLevel, writer: writer)
        }
        defer { writer.flush() }
        let logger = Logger(label: "dia-server")
        // From here on a signal waits until the models are loaded.
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let keys = try options.keys()
        let metrics = ServiceMetrics()
        let engine = try engine(metrics)
        report(engine, logger)
        var configuration = try options.serviceConfiguration(models: engine.models.keys.sorted())
        configuration.keys = keys
        let connections = ConnectionMetrics()
        configuration.moreMetrics = { connections.text + Self.text(of: writer) }
        let service = InferenceService(engine, configuration, metrics: metrics, logger: logger)
        var serverConfiguration = try options.serverConfiguration()
        if options.check {
            print("the configuration and \(engine.models.count) models are sound")
            return
        }
        serverConfiguration.inheritedSocket = try Systemd.inheritedSocket()
        let server = HTTPServer(
            serverConfiguration,
            handler: Handler(service: service),
            metrics: connections,
            logger: logger
        )
        let port = try server.listen()
        let host = options.host.contains(":") ? "[\(options.host)]" : options.host
        let scheme = serverConfiguration.tls == nil ? "http" : "https"
        let line = "dia-server is ready at \(scheme)://\(host):\(port)  (research use only, not for diagnosis)\n"
        FileHandle.standardOutput.write(Data(line.utf8))
        Systemd.ready()
        if let interval = Systemd.watchdogInterval { server.everyInterval(interval) { Systemd.watchdog() } }
        var signal = await signals.next()
        while signal == SIGHUP {
            Systemd.reloading()
            await reload(service, server, logger)
            Systemd.ready()
            signal = await signals.next()
        }
        Systemd.stopping()
        logger.info("shutting down", metadata: ["signal": .stringConvertible(Int(signal))])
        service.beginDraining()
        let patience = Patience()
        Task {
            // Whoever signals twice will not wait.
            while await signals.next() == SIGHUP {}
            await patience.end()
            await server.drain(limit: .zero)
        }
        await patience.wait(.seconds(options.drainDelaySeconds))
        await server.drain(limit: .seconds(options.drainSeconds))
        logger.info("stopped")
    }

    private func engine(_ metrics: ServiceMetrics) throws -> Engine {
        do {
            return try Engine(options.engineConfiguration, metrics: metrics) { [options] in
                let directories = try options.modelDirectories()
                // A reload must not take the default model away either.
                _ = try options.serviceConfiguration(models: directories.map(\.manifest.name))
                return directories
            }
        } catch let error as ModelFileError {
            throw ValidationError("a model cannot be loaded: \(error)")
        }
    }

    private func report(_ engine: Engine, _ logger: Logger) {
        for (name, model) in engine.models.sorted(by: { $0.key < $1.key }) {
            let metadata: Logger.Metadata = ["model": "\(name)", "digest": "\(model.digest)"]
            logger.info("model loaded", metadata: metadata)
            if model.calibration == nil {
                logger.warning("the model has no calibration: no p-values, no verdicts", metadata: metadata)
            } else if model.calibration?.threshold == nil {
                logger.warning("too few calibration images for alpha: no threshold, no verdicts", metadata: metadata)
            }
        }
    }

    /// Takes over models, keys and certificates as they are now on disk: all of them, or if one is broken none.
    private func reload(_ service: InferenceService, _ server: HTTPServer, _ logger: Logger) async {
        do {
            let keys = try options.keys()
            let tls = try options.tls()
            let names = try await service.reload()
            if let keys { service.replace(keys: keys) }
            if let tls { server.replace(tls: tls) }
            logger.info("reloaded", metadata: ["models": "\(names.joined(separator: ", "))"])
        } catch {
            logger.error("not reloaded, everything stays as it was", metadata: ["reason": "\(error)"])
        }
    }

    private static func text(of writer: LogWriter) -> String {
        let name = "dia_log_lines_dropped_total"
        return
            "# HELP \(name) Log lines that could not be written.\n# TYPE \(name) counter\n\(name) \(writer.dropped)\n"
    }
}

/// The service as the HTTP server calls it.
private struct Handler: RequestHandler {
    let service: InferenceService
    func refusal(of head: RequestHead) -> Response? { service.refusal(of: head) }
    func respond(to request: Request) async -> Response { await service.respond(to: request) }
    func refusal(_ error: RequestError) -> Response { service.refusal(error) }
}

/// A wait that can be cut short.
private actor Patience {
    private var task: Task<Void, any Error>?
    private var isOver = false

    func wait(_ duration: Duration) async {
        guard !isOver else { return }
        let task = Task { try await Task.sleep(for: duration) }
        self.task = task
        _ = await task.result
    }

    func end() {
        isOver = true
        task?.cancel()
    }
}
