import ArgumentParser
import Console
import DIA
import Dispatch
import Engine
import Foundation
import HTTP
import HTTPServer
import InferenceService
import Logging
import Metrics
import ModelFile
import Neural
import StructuredLogging
import OpenSSL

/// Command that runs the server.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serves models (the default command).",
        discussion: """
            Every option can also be set in the environment (--max-body-bytes as DIA_MAX_BODY_BYTES) or in a JSON \
            configuration file with the option names as members ({"max-body-bytes": 1000000}). The command line \
            overrides the environment, and the environment overrides the file.
            """
    )

    @OptionGroup var options: ServerOptions

    /// An event that the process waits for.
    private enum Event {
        case signal(Int32)
        case loaded(Result<[ModelLoadError], any Error>)
    }

    func run() async throws {
        try Processor.requireSupported()
        try AddressSpace.requireRoom(threads: options.engineThreads)
        let writer = LogWriter(descriptor: StandardStream.error.rawValue) { [format = options.logFormat] count in
            let members: Logger.Metadata = ["lines": .stringConvertible(count)]
            return format.line(.warning, "log lines dropped", members, time: Date().timeIntervalSince1970)
        }
        LoggingSystem.bootstrap { [options] _ in
            LineLogHandler(format: options.logFormat, level: options.logLevel, writer: writer)
        }
        defer { writer.flush() }
        let logger = Logger(label: "dia-server")
        for warning in OptionSources.warnings(environment: ProcessInfo.processInfo.environment) {
            logger.warning("option ignored", metadata: ["reason": "\(warning)"])
        }
        let budget = MemoryBudget(bytes: options.maxHeldBytes, work: options.workBytes)
        let configuration = try options.serviceConfiguration(budget)
        var serverConfiguration = try options.serverConfiguration(budget)
        let metrics = MetricsRegistry()
        let engine = Engine(options.engineConfiguration, metrics: metrics) { [options] in try options.modelListing() }
        if options.check { return try check(engine, serverConfiguration.tls) }

        let (events, inbox) = AsyncStream<Event>.makeStream()
        let signals = Signals([SIGTERM, SIGINT, SIGHUP]) { inbox.yield(.signal($0)) }
        defer { withExtendedLifetime(signals) {} }
        let certificate = CertificateMetric(serverConfiguration.tls?.certificate, metrics)
        metrics.observed("dia_log_lines_dropped_total", "Log lines that could not be written.", isCounter: true) {
            [[:]: Double(writer.dropped)]
        }
        let service = InferenceService(engine, configuration, metrics: metrics, logger: logger)
        serverConfiguration.inheritedSocket = try Systemd.inheritedSocket()
        let server = HTTPServer(
            serverConfiguration,
            handler: Handler(service: service),
            metrics: metrics,
            logger: logger
        )
        warn(serverConfiguration.tls?.certificate, logger)
        let address = try server.listen()
        let url = address.url(scheme: serverConfiguration.tls == nil ? "http" : "https")
        logger.info("listening", metadata: ["address": "\(url)"])
        // Loading uses its own thread; only the ready line waits for the models.
        DispatchQueue(label: "dia.load").async { inbox.yield(.loaded(Result { try engine.load() })) }

        var mustReload = false
        var iterator = events.makeAsyncIterator()
        events: while let event = await iterator.next() {
            switch event {
            case .loaded(let result):
                report(engine, try result.get(), logger)
                service.beginServing()
                writeReadyLine(url, logger)
                Systemd.ready()
                if let interval = Systemd.watchdogInterval {
                    server.everyInterval(interval) { Systemd.watchdog() }
                }
                if mustReload { await reload(service, server, certificate, logger) }
            // Models are loaded one after another; a reload waits for the initial load.
            case .signal(SIGHUP) where service.isLoading: mustReload = true
            case .signal(SIGHUP): await reload(service, server, certificate, logger)
            case .signal(let number):
                logger.info("shutting down", metadata: ["signal": .stringConvertible(Int(number))])
                break events
            }
        }
        Systemd.stopping()
        let isLoading = service.isLoading
        service.beginDraining()
        let delay = CancellableDelay()
        let rest = iterator
        Task {
            var iterator = rest
            // A second signal ends the wait.
            while let event = await iterator.next() {
                if case .signal(let number) = event, number != SIGHUP { break }
            }
            await delay.end()
            await server.drain(limit: .zero)
        }
        if !isLoading { await delay.wait(.seconds(options.drainDelaySeconds)) }
        await server.drain(limit: .seconds(options.drainSeconds))
        logger.info("stopped")
        writer.flush()
        // Exit without returning: models may still be loading and must not run into the process's static destructors.
        _exit(0)
    }

    /// Loads the configuration and all models, and reports that they are valid.
    private func check(_ engine: Engine, _ tls: TLSContext?) throws {
        let failures = try engine.load()
        if let failure = failures.first { throw failure }
        let now = Int(Date().timeIntervalSince1970)
        if let invalidity = tls?.certificate.invalidity(at: now) {
            throw ValidationError("the certificate \(options.tlsCertificate ?? "") \(invalidity)")
        }
        try StandardStream.output.write("the configuration and \(engine.models.count) models are valid\n")
    }

    /// Writes the line that callers wait for; if standard output cannot be written to, the server keeps running.
    private func writeReadyLine(_ url: String, _ logger: Logger) {
        let notice = "research use only, not for diagnosis"
        let line =
            switch options.logFormat {
            case .text: "dia-server is ready at \(url)  (\(notice))\n"
            case .json:
                options.logFormat.line(
                    .info,
                    "ready",
                    ["url": "\(url)", "notice": "\(notice)"],
                    time: Date().timeIntervalSince1970
                )
            }
        do {
            try StandardStream.output.write(line)
        } catch {
            logger.warning("cannot write the ready line", metadata: ["reason": "\(error)", "url": "\(url)"])
        }
    }

    private func report(_ engine: Engine, _ failures: [ModelLoadError], _ logger: Logger) {
        for failure in failures { logger.error("model skipped", metadata: ["reason": "\(failure)"]) }
        for (name, model) in engine.models.sorted(by: { $0.key < $1.key }) {
            let metadata: Logger.Metadata = ["model": "\(name)", "digest": "\(model.digest)"]
            logger.info("model loaded", metadata: metadata)
            if model.calibration == nil {
                logger.warning("the model has no calibration: no p-values, no anomaly decisions", metadata: metadata)
            } else if model.calibration?.threshold == nil {
                logger.warning(
                    "too few calibration images for alpha: no threshold, no anomaly decisions",
                    metadata: metadata
                )
            } else if model.inputCheck == nil {
                logger.warning("the model has no input statistics: atypical images get a verdict", metadata: metadata)
            }
        }
    }

    private func warn(_ certificate: Certificate?, _ logger: Logger) {
        guard let invalidity = certificate?.invalidity(at: Int(Date().timeIntervalSince1970)) else { return }
        logger.warning("the TLS certificate \(invalidity)", metadata: ["file": "\(options.tlsCertificate ?? "")"])
    }

    /// Reloads models, keys and certificates from disk; if one is invalid, nothing is changed.
    private func reload(
        _ service: InferenceService,
        _ server: HTTPServer,
        _ certificate: CertificateMetric,
        _ logger: Logger
    ) async {
        Systemd.reloading()
        defer { Systemd.ready() }
        do {
            let keys = try options.keys()
            let tls = try options.tls()
            let outcome = try await service.reload()
            if let keys { service.replace(keys: keys) }
            if let tls {
                server.replace(tls: tls)
                certificate.replace(tls.certificate)
                warn(tls.certificate, logger)
            }
            for failure in outcome.failures { logger.error("model skipped", metadata: ["reason": "\(failure)"]) }
            service.countReload(succeeded: true)
            logger.info("reloaded", metadata: ["models": "\(outcome.loaded.joined(separator: ", "))"])
        } catch {
            service.countReload(succeeded: false)
            logger.error("reload failed, nothing was changed", metadata: ["reason": "\(error)"])
        }
    }
}

/// Adapter from the HTTP server to the service.
private struct Handler: RequestHandler {
    let service: InferenceService
    func admit(_ head: RequestHead, from peer: Peer) -> HeadDecision {
        switch service.admit(head, from: peer) {
        case .respond(let response): .respond(response)
        case .admit(let request) where request.streamsBody:
            .streamBody { [service] in await service.respond(to: request, streaming: $0) }
        case .admit(let request): .readBody { [service] in await service.respond(to: request, body: $0) }
        }
    }
    func errorResponse(for error: RequestError, from peer: Peer) -> Response {
        service.errorResponse(for: error, from: peer)
    }
}

/// A delay that can be cancelled.
private actor CancellableDelay {
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
