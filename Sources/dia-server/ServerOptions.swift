public import ArgumentParser
import Foundation
import HTTP
import HTTPServer
import InferenceService
public import Logging
public import StructuredLogging

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

/// Default values of the options, each defined in the component that it configures.
private let http = HTTPServer.Configuration()
private let service = InferenceService.Configuration()

extension Duration {
    fileprivate var wholeSeconds: Int { Int(components.seconds) }
}

/// The server's options.
struct ServerOptions: ParsableArguments {
    @Option(help: "Directory of model directories, or one model directory.")
    var models: String

    @Option(help: "Address to listen on.")
    var host: String = http.host

    @Option(help: "Port to listen on; 0 selects a free port.")
    var port: UInt16 = http.port

    @Option(help: "Model for paths without a model name; by default the only model.")
    var defaultModel: String?

    @Option(help: "Number of engine threads; 0 uses one per processor.")
    var threads: Int = 0

    @Option(help: "Maximum number of waiting jobs and of requests in progress; further requests get --busy-status.")
    var queue: Int = service.queueCapacity

    @Option(help: "Maximum images per batch in the engine.")
    var batch: Int = service.maximumBatch

    @Option(help: "Maximum size of a request body in bytes.")
    var maxBodyBytes: Int = service.bodyBytes

    @Option(help: "Maximum pixels per image.")
    var maxPixels: Int = service.maximumPixels

    @Option(help: "Maximum number of open connections.")
    var maxConnections: Int = http.maximumConnections

    @Option(
        help: "Maximum number of open connections per address; behind a proxy, set it to --max-connections."
    )
    var maxConnectionsPerAddress: Int = http.maximumConnectionsPerAddress

    @Option(help: "Memory for requests, image processing and responses in bytes.")
    var maxHeldBytes: Int = MemoryBudget.defaultBytes

    @Option(help: "Timeout for a request head in seconds.")
    var headSeconds: Int = http.deadlines.head.wholeSeconds

    @Option(help: "Timeout for a request body in seconds, plus one second per 4096 bytes received.")
    var bodySeconds: Int = http.deadlines.body.wholeSeconds

    @Option(help: "Timeout for sending a response in seconds, plus one second per 4096 bytes sent.")
    var writeSeconds: Int = http.deadlines.write.wholeSeconds

    @Option(help: "Limit for receiving a request and for sending its response in seconds, at any rate.")
    var requestSeconds: Int = http.deadlines.request.wholeSeconds

    @Option(help: "Idle timeout between requests in seconds.")
    var idleSeconds: Int = http.deadlines.idle.wholeSeconds

    @Option(
        help: "Request timeout in seconds; a request can set a shorter one (X-Request-Timeout)."
    )
    var timeoutSeconds: Int = Int(service.timeoutSeconds)

    @Option(
        help: "Status when the queue is full: 503, or 429 for load balancers that eject a server on 503."
    )
    var busyStatus: Int = service.busyStatus

    @Option(help: "Seconds between reporting not ready and closing after SIGTERM, so that load balancers can react.")
    var drainDelaySeconds: Int = 0

    @Option(help: "Seconds to finish requests in progress after the drain delay.")
    var drainSeconds: Int = 30

    @Option(help: "Certificate and its chain (PEM); enables HTTPS.")
    var tlsCertificate: String?

    @Option(help: "Private key of the certificate (PEM, no passphrase).")
    var tlsKey: String?

    @Option(help: "Certificate authorities for client certificates (PEM).")
    var tlsClientCa: String?

    @Flag(help: "Reject clients without a certificate from --tls-client-ca.")
    var tlsRequireClient = false

    @Option(help: "File of API keys, made by dia-server hash-key.")
    var apiKeys: String?

    @Flag(help: "Allow listening beyond the loopback interface without API keys.")
    var withoutKeys = false

    @Option(help: "Origins whose web pages may call the server (CORS), separated by commas; * for all.")
    var corsOrigins: String = ""

    @Option(help: "Log format: text or json.")
    var logFormat: LogFormat = .text

    @Option(help: "Minimum log level: trace, debug, info, notice, warning, error, critical.")
    var logLevel: Logger.Level = .info

    @Flag(help: "Serve the other models if some cannot be loaded.")
    var skipBrokenModels = false

    @Option(
        help: "Proxies whose X-Forwarded-For is trusted: addresses, networks, 'unix', separated by commas."
    )
    var trustedProxies: String = ""

    @Flag(help: "Do not log client addresses.")
    var noLogClientAddress = false

    @Flag(help: "Validate the configuration and the models, print the result, and exit.")
    var check = false

    @Option(help: "Configuration file (JSON).")
    var config: String?

    func validate() throws {
        let bounds: [(String, Int, ClosedRange<Int>)] = [
            ("threads", threads, 0...1024), ("queue", queue, 1...1_000_000), ("batch", batch, 1...1024),
            ("max-body-bytes", maxBodyBytes, 1...1 << 32), ("max-pixels", maxPixels, 1...1 << 32),
            ("max-connections", maxConnections, 1...1_000_000),
            ("max-connections-per-address", maxConnectionsPerAddress, 1...1_000_000),
            ("max-held-bytes", maxHeldBytes, 1...1 << 40), ("head-seconds", headSeconds, 1...3600),
            ("body-seconds", bodySeconds, 1...3600), ("write-seconds", writeSeconds, 1...3600),
            ("request-seconds", requestSeconds, 1...86_400), ("idle-seconds", idleSeconds, 1...86_400),
            ("timeout-seconds", timeoutSeconds, 1...86_400), ("drain-delay-seconds", drainDelaySeconds, 0...86_400),
            ("drain-seconds", drainSeconds, 0...86_400),
        ]
        for (name, value, range) in bounds where !range.contains(value) {
            throw ValidationError("--\(name) is \(value), but must be from \(range.lowerBound) to \(range.upperBound)")
        }
        guard [429, 503].contains(busyStatus) else { throw ValidationError("--busy-status must be 429 or 503") }
        guard maxHeldBytes >= minimumHeldBytes else {
            throw ValidationError(
                "--max-held-bytes is \(maxHeldBytes); one image of --max-pixels and two bodies of --max-body-bytes need "
                    + "\(minimumHeldBytes)"
            )
        }
        do {
            _ = try TrustedProxies(trustedProxies)
        } catch {
            throw ValidationError("--trusted-proxies: \(error)")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key must be used together")
        }
        guard tlsClientCa == nil || tlsCertificate != nil else {
            throw ValidationError("--tls-client-ca requires --tls-certificate")
        }
        guard !tlsRequireClient || tlsClientCa != nil else {
            throw ValidationError("--tls-require-client requires --tls-client-ca")
        }
        for origin in origins where !Self.isOrigin(origin) {
            throw ValidationError("--cors-origins: '\(origin)' is not an origin such as https://example.org:8443")
        }
        guard !isLoopbackOnly || Self.isLoopback(bareHost) else {
            throw ValidationError(
                "--host \(host) is reachable from other machines: use --api-keys (made by dia-server hash-key), "
                    + "--tls-require-client or --without-keys"
            )
        }
    }

    /// The address to listen on; an IPv6 address may be given in brackets.
    var bareHost: String { host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host }

    /// Memory reserved for image processing.
    var workBytes: Int { max(maxHeldBytes / 4, InferenceService.workBytes(maximumPixels: maxPixels)) }
    private var minimumHeldBytes: Int { InferenceService.workBytes(maximumPixels: maxPixels) + 2 * maxBodyBytes }

    /// Whether the server must listen on a loopback address, because nothing else restricts access.
    var isLoopbackOnly: Bool { apiKeys == nil && !tlsRequireClient && !withoutKeys }

    /// Whether only this machine can reach `host`.
    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    /// Whether `text` is the origin of a page or a browser extension, "null", or "*" for all.
    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" || text == "null" { return true }
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty else { return false }
        let scheme = url.scheme ?? ""
        return (["http", "https"].contains(scheme) || scheme.hasSuffix("-extension")) && url.path.isEmpty
            && url.query == nil && url.user == nil
            && url.fragment == nil
    }

    /// The members of ``corsOrigins``.
    var origins: [String] { corsOrigins.split(separator: ",").map { $0.trimmed } }
}
