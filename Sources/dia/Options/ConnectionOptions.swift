import ArgumentParser
import Client
import Foundation

/// The options that say where images are scored.
struct ConnectionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Address of the server; without it $DIA_URL, or \(Self.standardURL).",
            valueName: "address"
        )
    )
    var url: String?

    @Option(
        help: ArgumentHelp(
            "Score in this process, without a server, with the models in a folder.",
            valueName: "folder"
        ),
        completion: .directory
    )
    var models: String?

    @Option(
        help: ArgumentHelp("File with the API key of the server, on one line.", valueName: "file"),
        completion: .file()
    )
    var keyFile: String?

    @Option(
        help: ArgumentHelp("Certificate authority of the server (PEM), in place of the system's.", valueName: "file"),
        completion: .file()
    )
    var ca: String?

    @Option(help: ArgumentHelp("Client certificate and its chain (PEM).", valueName: "file"), completion: .file())
    var certificate: String?

    @Option(
        help: ArgumentHelp("Private key of the client certificate (PEM, no passphrase).", valueName: "file"),
        completion: .file()
    )
    var certificateKey: String?

    @Option(help: ArgumentHelp("Timeout of a request in seconds.", valueName: "seconds"))
    var timeout: Double = 60

    private static let standardURL = "http://127.0.0.1:8080"

    func validate() throws {
        guard (0.001...86_400).contains(timeout) else {
            throw ValidationError("--timeout must be from 0.001 to 86400 seconds")
        }
        guard (certificate == nil) == (certificateKey == nil) else {
            throw ValidationError("--certificate and --certificate-key must be used together")
        }
        if models != nil {
            let others = [
                ("--url", url), ("--key-file", keyFile), ("--ca", ca), ("--certificate", certificate),
            ]
            if let other = others.first(where: { $0.1 != nil }) {
                throw ValidationError("--models works without a server, so \(other.0) has no use with it")
            }
        }
    }

    /// Returns the client of the server, or of models in this process.
    ///
    /// `repeats` says whether failed requests are repeated.
    func client(repeats: Bool = true) throws -> ServiceClient {
        try client(policy: repeats ? RetryPolicy() : .never)
    }

    /// Returns the client with a policy for repetitions.
    func client(policy: RetryPolicy) throws -> ServiceClient {
        if let models {
            let transport = try OfflineTransport(models: models, seconds: timeout)
            return ServiceClient(transport, seconds: timeout, policy: policy)
        }
        let address = try address()
        let key = try key()
        if key != nil, address.isExposed {
            Messages.warn("\(address) is not encrypted: the key and the images can be read on the way; use https")
        }
        var configuration = CurlTransport.Configuration(address)
        for (option, path) in [("ca", ca), ("certificate", certificate), ("certificate-key", certificateKey)] {
            try FileOption.requireReadable(path, option: option)
        }
        (configuration.authority, configuration.certificate) = (ca, certificate)
        configuration.certificateKey = certificateKey
        configuration.seconds = timeout
        return ServiceClient(CurlTransport(configuration), key: key, seconds: timeout, policy: policy)
    }

    private func address() throws -> ServerAddress {
        let variable = ProcessInfo.processInfo.environment["DIA_URL"].flatMap { $0.isEmpty ? nil : $0 }
        do {
            return try ServerAddress(url ?? variable ?? Self.standardURL)
        } catch {
            throw ValidationError("\(url == nil ? "DIA_URL" : "--url"): \(error)")
        }
    }

    private func key() throws -> APIKey? {
        guard let keyFile else { return nil }
        guard let data = FileManager.default.contents(atPath: keyFile) else {
            throw ValidationError("--key-file \(keyFile): cannot read the file")
        }
        do {
            return try APIKey(data, file: keyFile)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}
