import Foundation

/// The address of a server, as users write it.
public struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
    /// Why a text is not the address of a server.
    public struct InvalidAddress: Error, CustomStringConvertible {
        /// The message for the user.
        public let description: String
    }

    /// The address without a slash at its end, such as "https://dia.example.org:8443".
    public let description: String
    /// Whether requests can be read on the way: no TLS, and not only within this machine.
    public let isExposed: Bool

    /// Reads `text`: http or https, a host, and optionally a port and a path.
    public init(_ text: String) throws(InvalidAddress) {
        guard let url = URLComponents(string: text), let scheme = url.scheme?.lowercased(), let host = url.host,
            ["http", "https"].contains(scheme), !host.isEmpty
        else { throw InvalidAddress(description: "the address of a server is such as http://127.0.0.1:8080") }
        guard url.user == nil, url.password == nil else {
            throw InvalidAddress(description: "an address must not have a user name or a password; use --key-file")
        }
        guard url.query == nil, url.fragment == nil else {
            throw InvalidAddress(description: "the address of a server has no query and no fragment")
        }
        var trimmed = text
        while trimmed.hasSuffix("/") { trimmed.removeLast() }
        description = trimmed
        let isLocal = host == "localhost" || host == "[::1]" || host == "::1" || host.hasPrefix("127.")
        isExposed = scheme == "http" && !isLocal
    }
}
