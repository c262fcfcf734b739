import ArgumentParser
import Foundation
import HTTP
import HTTPServer
import InferenceService
import ModelFile

/// The server's options.
struct ServerOptions: ParsableArguments {
    @Option(help: "A folder of model directories, or one model directory.")
    var models: String

    @Option(help: "The address to listen on.")
    var host: String = "127.0.0.1"

    @Option(help: "The port; 0 takes a free one.")
    var port: UInt16 = 8080

    @Option(help: "The model of paths that name none; by default the only one.")
    var defaultModel: String?

    @Option(help: "Threads of the engine; 0 takes one for each processor.")
    var threads: Int = 0

    @Option(help: "Pieces of work that may wait before requests are refused with 503.")
    var queue: Int = 256

    @Option(help: "Images that the engine runs at once.")
    var batch: Int = 16

    @Option(help: "The largest body of a request, in bytes.")
    var maxBodyBytes: Int = 32 << 20

    @Option(help: "The most pixels of an image.")
    var maxPixels: Int = 25_000_000

    @Option(help: "The most connections at once.")
    var maxConnections: Int = 1024

    @Option(help: "Seconds to finish what was begun after SIGTERM.")
    var drainSeconds: Int = 30

    @Option(help: "A configuration file (JSON).")
    var config: String?

    func validate() throws {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("threads", threads, 0...1024), ("queue", queue, 1...1_000_000), ("batch", batch, 1...1024),
            ("max-body-bytes", maxBodyBytes, 1...1 << 32), ("max-pixels", maxPixels, 1...1 << 32),
            ("max-connections", maxConnections, 1...1_000_000), ("drain-seconds", drainSeconds, 0...86_400),
        ]
        for (name, value, range) in bounds where !range.contains(value) {
            throw ValidationError("--\(name) is \(value), from \(range.lowerBound) to \(range.upperBound) expected")
        }
    }

    private var engineThreads: Int { threads > 0 ? threads : ProcessInfo.processInfo.activeProcessorCount }

    var engineConfiguration: Engine.Configuration {
        var configuration = Engine.Configuration()
        configuration.threads = engineThreads
        configuration.queueCapacity = queue
        configuration.maximumBatch = batch
        return configuration
    }

    var serverConfiguration: HTTPServer.Configuration {
        var configuration = HTTPServer.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.maximumConnections = maxConnections
        configuration.limits.bodyBytes = maxBodyBytes
        return configuration
    }

    func serviceConfiguration(models: [String]) throws -> InferenceService.Configuration {
        var configuration = InferenceService.Configuration()
        if let defaultModel, !models.contains(defaultModel) {
            throw ValidationError(
                "--default-model \(defaultModel): no such model; there are \(models.joined(separator: ", "))"
            )
        }
        configuration.defaultModel = defaultModel ?? (models.count == 1 ? models[0] : nil)
        configuration.maximumPixels = maxPixels
        configuration.decodeThreads = engineThreads
        configuration.bodyBytes = maxBodyBytes
        configuration.queueCapacity = queue
        configuration.maximumBatch = batch
        return configuration
    }

    /// The model directories that ``models`` names, opened; every one must be sound.
    func modelDirectories() throws -> [ModelDirectory] {
        func open(_ path: String) throws -> ModelDirectory {
            do {
                return try ModelDirectory(path: path)
            } catch {
                throw ValidationError("the model in \(path) cannot be loaded: \(error)")
            }
        }
        let manager = FileManager.default
        if manager.fileExists(atPath: "\(models)/\(ModelManifest.fileName)") { return [try open(models)] }
        guard let names = try? manager.contentsOfDirectory(atPath: models).sorted() else {
            throw ValidationError("--models \(models): no such folder")
        }
        let found = names.map { "\(models)/\($0)" }.filter {
            manager.fileExists(atPath: "\($0)/\(ModelManifest.fileName)")
        }
        guard !found.isEmpty else { throw ValidationError("--models \(models): no model.json in it or below it") }
        let directories = try found.map(open)
        let byName = Dictionary(grouping: directories, by: \.manifest.name)
        if let twice = byName.first(where: { $0.value.count > 1 }) {
            throw ValidationError("--models \(models): two models are called '\(twice.key)'")
        }
        return directories
    }
}
