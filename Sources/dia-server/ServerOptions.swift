public import ArgumentParser
import Foundation
import HTTP
import InferenceService
public import Logging
public import StructuredLogging

extension LogFormat: ExpressibleByArgument {}
extension Logger.Level: @retroactive ExpressibleByArgument {}

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

    @Option(
        help: "The most connections of one address at once; where a proxy stands in front, as many as of all."
    )
    var maxConnectionsPerAddress: Int = 1024

    @Option(help: "Memory for requests, for work on their images and for answers, in bytes.")
    var maxHeldBytes: Int = 512 << 20

    @Option(help: "Seconds for the head of a request.")
    var headSeconds: Int = 10

    @Option(help: "Seconds for a body, and one more for each 4096 bytes that have come.")
    var bodySeconds: Int = 20

    @Option(help: "Seconds for an answer to be taken, and one more for each 4096 bytes that were.")
    var writeSeconds: Int = 20

    @Option(help: "Seconds for a request to come, and for its answer to be taken, whatever the rate.")
    var requestSeconds: Int = 300

    @Option(help: "Seconds that a connection may be idle between requests.")
    var idleSeconds: Int = 75

    @Option(
        help: "Seconds that an answer is worth its work; a request may ask for fewer (X-Request-Timeout)."
    )
    var timeoutSeconds: Int = 60

    @Option(
        help: "The status when the queue is full: 503, or 429 for balancers that eject a server on 503."
    )
    var busyStatus: Int = 503

    @Option(help: "Seconds between not being ready and closing, after SIGTERM: for balancers to notice.")
    var drainDelaySeconds: Int = 0

    @Option(help: "Seconds to finish what was begun after that.")
    var drainSeconds: Int = 30

    @Option(help: "Certificate and those that lead to a root (PEM); serves HTTPS.")
    var tlsCertificate: String?

    @Option(help: "The certificate's private key (PEM, no passphrase).")
    var tlsKey: String?

    @Option(help: "Authorities whose clients' certificates are accepted (PEM).")
    var tlsClientCa: String?

    @Flag(help: "Turn away clients without a certificate of --tls-client-ca.")
    var tlsRequireClient = false

    @Option(help: "A file of API keys, made by dia-server hash-key.")
    var apiKeys: String?

    @Flag(help: "Listen beyond the loopback interface although there are no API keys.")
    var withoutKeys = false

    @Option(help: "Origins whose pages may call from a browser, separated by commas.")
    var corsOrigins: String = ""

    @Option(help: "The log's format: text or json.")
    var logFormat: LogFormat = .text

    @Option(help: "The least level that is logged: trace, debug, info, notice, warning, error, critical.")
    var logLevel: Logger.Level = .info

    @Flag(help: "Serve the other models if some cannot be loaded.")
    var skipBrokenModels = false

    @Option(
        help: "Proxies whose X-Forwarded-For is believed: addresses, networks, 'unix', separated by commas."
    )
    var trustedProxies: String = ""

    @Flag(help: "Leave clients' addresses out of the log.")
    var noLogClientAddress = false

    @Flag(help: "Validate the configuration and the models, say so, and exit.")
    var check = false

    @Option(help: "A configuration file (JSON).")
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
            throw ValidationError("--\(name) is \(value), from \(range.lowerBound) to \(range.upperBound) expected")
        }
        guard [429, 503].contains(busyStatus) else { throw ValidationError("--busy-status is 429 or 503") }
        guard maxHeldBytes >= leastHeldBytes else {
            throw ValidationError(
                "--max-held-bytes is \(maxHeldBytes); one image of --max-pixels and two bodies of --max-body-bytes need "
                    + "\(leastHeldBytes)"
            )
        }
        do {
            _ = try TrustedProxies(trustedProxies)
        } catch {
            throw ValidationError("--trusted-proxies: \(error)")
        }
        guard (tlsCertificate == nil) == (tlsKey == nil) else {
            throw ValidationError("--tls-certificate and --tls-key go together")
        }
        guard tlsClientCa == nil || tlsCertificate != nil else {
            throw ValidationError("--tls-client-ca needs --tls-certificate")
        }
        guard !tlsRequireClient || tlsClientCa != nil else {
            throw ValidationError("--tls-require-client needs --tls-client-ca")
        }
        for origin in origins where !Self.isOrigin(origin) {
            throw ValidationError("--cors-origins: '\(origin)' is no origin such as https://example.org:8443")
        }
        guard !isLoopbackOnly || Self.isLoopback(bareHost) else {
            throw ValidationError(
                "--host \(host) lets others in: give --api-keys (made by dia-server hash-key), or "
                    + "--tls-require-client, or say --without-keys"
            )
        }
    }

    /// The address to listen on; an IPv6 address may be given in brackets.
    var bareHost: String { host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host }

    /// The memory that is reserved for work on images, and what the whole must be at least.
    var workBytes: Int { max(maxHeldBytes / 4, InferenceService.workBytes(maximumPixels: maxPixels)) }
    private var leastHeldBytes: Int { InferenceService.workBytes(maximumPixels: maxPixels) + 2 * maxBodyBytes }

    /// Whether nothing keeps strangers out but the address.
    var isLoopbackOnly: Bool { apiKeys == nil && !tlsRequireClient && !withoutKeys }

    /// Whether only this machine can reach `host`.
    private static func isLoopback(_ host: String) -> Bool {
        host == "localhost" || host == "::1" || (host.hasPrefix("127.") && host.split(separator: ".").count == 4)
    }

    private static func isOrigin(_ text: String) -> Bool {
        guard let url = URLComponents(string: text), let host = url.host, !host.isEmpty else { return false }
        return ["http", "https"].contains(url.scheme) && url.path.isEmpty && url.query == nil && url.user == nil
            && url.fragment == nil
    }

    /// The members of ``corsOrigins``.
    var origins: [String] { corsOrigins.split(separator: ",").map { $0.trimmed } }
}
