public import HTTP
import Synchronization

/// Sends requests over the network with libcurl.
///
/// Connections are kept open and used again, at most one for each thread that sends.
public final class CurlTransport: Transport {
    /// How the server is reached.
    public struct Configuration: Sendable {
        /// The server.
        public var address: ServerAddress
        /// The certificate authorities (PEM) of the server; nil for those of the system.
        public var authority: String?
        /// The certificate of this client and its chain (PEM).
        public var certificate: String?
        /// The private key of the certificate (PEM, no passphrase).
        public var certificateKey: String?
        /// The time for a connection in seconds.
        public var connectSeconds = 10.0
        /// The time for a request and its response in seconds.
        public var seconds = 60.0

        /// Creates the configuration of a server with the defaults.
        public init(_ address: ServerAddress) { self.address = address }
    }

    private let configuration: Configuration
    private let idle = Mutex<[CurlConnection]>([])

    /// Creates a transport; nothing is sent yet.
    public init(_ configuration: Configuration) { self.configuration = configuration }

    /// Sends `request` on a connection that is open, or a new one.
    public func send(_ request: ServiceRequest) throws(ClientError) -> Response {
        let reused = idle.withLock { $0.popLast() }
        let connection = if let reused { reused } else { try CurlConnection(configuration) }
        // The last one used is the next one used, so that it is still open.
        defer { idle.withLock { $0.append(connection) } }
        return try connection.send(request)
    }
}
