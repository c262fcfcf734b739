public import ArgumentParser
import Client
import Console
import Foundation
import HTTPServer
import InferenceService
import Logging
import Metrics
public import Orthanc
public import StructuredLogging

extension LogFormat: ExpressibleByArgument {}
extension Sidecar.CatchUp: ExpressibleByArgument {}

/// Command that follows Orthanc until it is stopped.
struct SidecarCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Follows Orthanc until it is stopped (the default)."
    )

    @Option(
        help: ArgumentHelp("File with the rules: which images are scored by which model.", valueName: "file"),
        completion: .file()
    )
    var rules: String

    @Option(
        help: ArgumentHelp("Folder for the position and the dead letters; created if missing.", valueName: "folder"),
        completion: .directory
    )
    var state: String

    @OptionGroup(title: "Orthanc options") var orthanc: OrthancOptions

    @OptionGroup(title: "Server options") var connection: ConnectionOptions

    @Option(help: "Where to begin without a stored position: changes (the first), instances (a list of all), none.")
    var catchUp = Sidecar.CatchUp.changes

    @Option(help: ArgumentHelp("DICOMweb address of another archive that gets the objects too.", valueName: "address"))
    var stow: String?

    @Option(
        help: ArgumentHelp("Certificate authority of that archive (PEM).", valueName: "file"),
        completion: .file()
    )
    var stowCa: String?

    @Option(help: ArgumentHelp("Images that are worked on at the same time, 1 to 64.", valueName: "number"))
    var concurrency = 4

    @Option(help: ArgumentHelp("Seconds between two looks for new images.", valueName: "seconds"))
    var poll = 2.0

    @Option(help: ArgumentHelp("Attempts of an image, after which it is a dead letter.", valueName: "number"))
    var attempts = 8

    @Option(help: ArgumentHelp("Loopback port for metrics and health; 0 selects a free one.", valueName: "port"))
    var statusPort: UInt16?

    @Option(help: "Format of the log: text or json.")
    var logFormat = LogFormat.text

    @Option(help: ArgumentHelp("Seconds for finishing images after SIGTERM.", valueName: "seconds"))
    var drain = 20.0

    func validate() throws {
        guard (1...64).contains(concurrency) else { throw ValidationError("--concurrency must be from 1 to 64") }
        guard (0.01...3600).contains(poll) else { throw ValidationError("--poll must be from 0.01 to 3600 seconds") }
        guard (1...1000).contains(attempts) else { throw ValidationError("--attempts must be from 1 to 1000") }
        guard (0...3600).contains(drain) else { throw ValidationError("--drain must be from 0 to 3600 seconds") }
    }

    func run() async throws {
        let writer = LogWriter(descriptor: StandardStream.error.rawValue) { [logFormat] count in
            let members: Logger.Metadata = ["lines": .stringConvertible(count)]
            return logFormat.line(.warning, "log lines dropped", members, time: Date().timeIntervalSince1970)
        }
        defer { writer.flush() }
        let logger = Logger(label: "dia") { [logFormat] _ in
            LineLogHandler(format: logFormat, level: .info, writer: writer)
        }
        let registry = MetricsRegistry()
        let metrics = SidecarMetrics(registry)
        let sidecar = try sidecar(metrics, logger)
        let server = try statusServer(registry, metrics, logger)
        let interruption = Interruption(patience: .milliseconds(Int(1000 * drain)))
        interruption.onSignal { sidecar.stop() }
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                sidecar.run()
                continuation.resume()
            }
        }
        await server?.drain(limit: .seconds(1))
        logger.info("stopped")
    }

    private func sidecar(_ metrics: SidecarMetrics, _ logger: Logger) throws -> Sidecar {
        let rules = try Rules(path: rules)
        let directory = try StateDirectory(state, isWriter: true)
        // Longer outages are waited for by the scheduler, which other images do not have to wait for.
        var policy = RetryPolicy()
        (policy.attempts, policy.totalSeconds, policy.busySeconds) = (3, 5, 30)
        let program = "dia \(InferenceService.version)"
        let service = try connection.client(policy: policy)
        try checkModels(of: rules, service, logger)
        let scorer = DICOMScorer(rules: rules, service: service, program: program)
        let store = try orthanc.client(seconds: connection.timeout)
        let job = InstanceJob(store: store, scorer: scorer, receiver: try receiver(), program: program)
        var configuration = Sidecar.Configuration()
        (configuration.concurrency, configuration.pollSeconds) = (concurrency, poll)
        configuration.catchUp = catchUp
        configuration.policy.attempts = attempts
        return try Sidecar(
            store: store,
            job: job,
            directory: directory,
            configuration,
            metrics: metrics,
            logger: logger
        )
    }

    /// Throws an error if the rules name a model that the server does not have; a server that cannot be asked is only
    /// noted, because it may start later.
    private func checkModels(of rules: Rules, _ service: ServiceClient, _ logger: Logger) throws {
        let models: [String]
        do {
            models = try service.models().models.map(\.name)
        } catch {
            logger.warning("the models of the rules were not checked", metadata: ["reason": "\(error)"])
            return
        }
        if let problem = rules.problem(models: models) { throw ValidationError("\(self.rules): \(problem)") }
    }

    private func receiver() throws -> StowClient? {
        guard let stow else { return nil }
        let address: ServerAddress
        do {
            address = try ServerAddress(stow)
        } catch {
            throw ValidationError("--stow: \(error)")
        }
        try FileOption.requireReadable(stowCa, option: "stow-ca")
        var configuration = CurlTransport.Configuration(address)
        configuration.authority = stowCa
        configuration.seconds = connection.timeout
        return StowClient(CurlTransport(configuration))
    }

    private func statusServer(
        _ registry: MetricsRegistry,
        _ metrics: SidecarMetrics,
        _ logger: Logger
    ) throws -> HTTPServer? {
        guard let statusPort else { return nil }
        var configuration = HTTPServer.Configuration()
        configuration.port = statusPort
        configuration.isLoopbackOnly = true
        configuration.maximumConnections = 16
        let handler = StatusHandler(registry: registry, metrics: metrics)
        let server = HTTPServer(configuration, handler: handler, metrics: registry, logger: logger)
        let address = try server.listen()
        logger.info("status", metadata: ["address": "\(address.url(scheme: "http"))"])
        return server
    }
}
