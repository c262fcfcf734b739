import ArgumentParser
import Foundation
import HTTP
import HTTPServer
import InferenceService
import ModelFile
import TLS

/// What the options say to each part of the server.
extension ServerOptions {
    /// The keys of ``apiKeys``; nil if everybody may call.
    func keys() throws -> APIKeys? {
        guard let path = apiKeys else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--api-keys \(path): the file cannot be read")
        }
        do {
            return try APIKeys(parsing: String(decoding: data, as: UTF8.self))
        } catch {
            throw ValidationError("--api-keys \(path): \(error)")
        }
    }

    /// Certificate and key; nil serves without TLS.
    func tls() throws -> TLSContext? {
        guard let tlsCertificate, let tlsKey else { return nil }
        do {
            return try TLSContext(
                TLSContext.Files(
                    certificate: tlsCertificate,
                    key: tlsKey,
                    clientAuthority: tlsClientCa,
                    requiresClientCertificate: tlsRequireClient
                )
            )
        } catch {
            throw ValidationError("\(error)")
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

    func serverConfiguration() throws -> HTTPServer.Configuration {
        var configuration = HTTPServer.Configuration()
        configuration.host = host
        configuration.port = port
        configuration.maximumConnections = maxConnections
        configuration.maximumConnectionsPerAddress = maxConnectionsPerAddress
        configuration.maximumHeldBytes = maxHeldBytes
        configuration.limits.bodyBytes = maxBodyBytes
        configuration.deadlines.head = .seconds(headSeconds)
        configuration.deadlines.handshake = .seconds(headSeconds)
        configuration.deadlines.body = .seconds(bodySeconds)
        configuration.deadlines.write = .seconds(writeSeconds)
        configuration.deadlines.request = .seconds(requestSeconds)
        configuration.deadlines.idle = .seconds(idleSeconds)
        configuration.tls = try tls()
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
        configuration.timeoutSeconds = Double(timeoutSeconds)
        configuration.busyStatus = busyStatus
        configuration.origins = Set(origins)
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
