/// Where a server listens.
public enum ListeningAddress: Sendable, Hashable {
    /// A TCP port.
    case tcp(host: String, port: UInt16)
    /// A Unix domain socket; the path is empty if it has none.
    case unix(path: String)

    /// The TCP port; 0 for a Unix domain socket.
    public var port: UInt16 { if case .tcp(_, let port) = self { port } else { 0 } }

    /// Returns "SCHEME://HOST:PORT" or "unix:PATH".
    public func url(scheme: String) -> String {
        switch self {
        case .tcp(let host, let port): "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}
