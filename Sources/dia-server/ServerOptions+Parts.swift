import ArgumentParser
import Engine
import Foundation
import HTTP
import HTTPServer
import InferenceService
import ModelFile
import Neural
import OpenSSL

/// Configurations of the server's parts, derived from the options.
extension ServerOptions {
    /// Reads the keys of ``apiKeys``; returns nil if no key file is set.
    func keys() throws -> APIKeys? {
        guard let path = apiKeys else { return nil }
        guard let data = FileManager.default.contents(atPath: path) else {
            throw ValidationError("--api-keys \(path): cannot read the file")
        }
        do {
            return try APIKeys(parsing: String(decoding: data, as: UTF8.self))
        } catch {
            throw ValidationError("--api-keys \(path): \(error)")
        }
    }

    /// Reads certificate and key; returns nil if TLS is disabled.
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

    /// Number of engine threads.
    var engineThreads: Int { threads > 0 ? threads : ProcessorCount.available }

    var engineConfiguration: Engine.Configuration {
        var configuration = Engine.Configuration()
        configuration.threads = engineThreads
        configuration.queueCapacity = queue
        configuration.maximumBatch = batch
        configuration.skipsBrokenModels = skipBrokenModels
        configuration.requiredModel = defaultModel
        return configuration
    }

    func serverConfiguration(_ budget: MemoryBudget) throws -> HTTPServer.Configuration {
        var configuration = HTTPServer.Configuration()
        configuration.host = bareHost
        configuration.port = port
        configuration.isLoopbackOnly = isLoopbackOnly
        configuration.maximumConnections = maxConnections
        configuration.maximumConnectionsPerAddress = maxConnectionsPerAddress
        configuration.budget = budget
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

    func serviceConfiguration(_ budget: MemoryBudget) throws -> InferenceService.Configuration {
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = defaultModel
        configuration.budget = budget
        configuration.keys = try keys()
        configuration.acceptsClientCertificates = tlsClientCa != nil
        configuration.logsClientAddresses = !noLogClientAddress
        configuration.trustedProxies = try TrustedProxies(trustedProxies)
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

    /// Returns the model directories in ``models``; those that cannot be opened are listed with the reason.
    func modelListing() throws -> ModelListing {
        do {
            return try ModelListing(folder: models)
        } catch {
            throw ValidationError("--models \(error)")
        }
    }
}
