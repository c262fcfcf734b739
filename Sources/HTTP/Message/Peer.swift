/// The other end of a connection.
public struct Peer: Sendable, Hashable {
    /// A verified client certificate (RFC 5280).
    public struct Certificate: Sendable, Hashable {
        /// The subject's distinguished name (RFC 2253), such as "CN=pacs,O=Radiology".
        public var subject: String
        /// The SHA-256 digest of the certificate's DER encoding.
        public var fingerprint: [UInt8]

        /// Creates a certificate.
        public init(subject: String, fingerprint: [UInt8]) {
            self.subject = subject
            self.fingerprint = fingerprint
        }
    }

    /// The numeric IP address, or "unix" for a Unix domain socket.
    public var address: String
    /// The client certificate, verified against the configured authorities; nil if there is none.
    public var certificate: Certificate?

    /// Creates a peer.
    public init(address: String, certificate: Certificate? = nil) {
        self.address = address
        self.certificate = certificate
    }

    /// An unknown peer.
    public static let unknown = Peer(address: "unknown")
}
