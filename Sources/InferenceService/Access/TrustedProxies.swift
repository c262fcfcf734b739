import HTTP

/// Proxies whose `X-Forwarded-For` is trusted.
public struct TrustedProxies: Sendable {
    /// A word that is not a valid network.
    public struct Invalid: Error, CustomStringConvertible {
        /// Description of the error.
        public let description: String
    }

    private var networks: [(address: IPAddress, bits: Int)] = []
    private var trustsUnix = false

    /// Creates an empty list.
    public init() {}

    /// Parses a list such as `10.0.0.0/8,2001:db8::1,unix`: addresses, networks, and Unix domain sockets.
    public init(_ list: String) throws(Invalid) {
        for word in list.split(separator: ",").map(\.trimmed) {
            if word == "unix" {
                trustsUnix = true
                continue
            }
            let parts = word.split(separator: "/", maxSplits: 1).map(String.init)
            guard let address = parts.first.flatMap({ IPAddress($0) }) else {
                throw Invalid(description: "'\(word)' is not an IP address, a network such as 10.0.0.0/8, or 'unix'")
            }
            let most = address.bytes.count * 8
            let bits = parts.count == 2 ? Int(parts[1]) ?? -1 : most
            guard (0...most).contains(bits) else {
                throw Invalid(description: "'\(word)' has a prefix length outside 0 to \(most)")
            }
            networks.append((address, bits))
        }
    }

    /// Returns the address of the client.
    ///
    /// It is the peer's address, or if the peer is a trusted proxy, the last address in `X-Forwarded-For` that is not
    /// a trusted proxy.
    func client(of head: RequestHead, from peer: Peer) -> String {
        var client = peer.address
        guard isTrusted(client) else { return client }
        for member in head.headers.members("x-forwarded-for").reversed() {
            // Only addresses are accepted, so that nothing else that a client sends gets into the log.
            guard let address = IPAddress(member) else { return client }
            client = address.description
            guard isTrusted(client) else { return client }
        }
        return client
    }

    private func isTrusted(_ text: String) -> Bool {
        if text == "unix" { return trustsUnix }
        guard !networks.isEmpty, let address = IPAddress(text) else { return false }
        return networks.contains { address.isIn($0.address, bits: $0.bits) }
    }
}
