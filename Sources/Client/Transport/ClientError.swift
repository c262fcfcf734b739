import HTTP

/// Why the service gave no result.
public enum ClientError: Error, Sendable, Equatable, CustomStringConvertible {
    /// There is no connection to the server.
    case cannotConnect(String)
    /// The certificates or the TLS handshake are wrong.
    case tls(String)
    /// The response did not arrive in time.
    case timeout(seconds: Double)
    /// The connection ended before the response did.
    case connectionLost(String)
    /// The response is not what the service sends.
    case invalidResponse(String)
    /// The service refused the request.
    case problem(Problem)

    /// The message for the user.
    public var description: String {
        switch self {
        case .cannotConnect(let reason): "cannot connect: \(reason)"
        case .tls(let reason): "TLS failed: \(reason)"
        case .timeout(let seconds): "no response within \(seconds.formatted) s; a longer --timeout may help"
        case .connectionLost(let reason): "the connection was lost: \(reason)"
        case .invalidResponse(let reason): "the response is not valid: \(reason)"
        case .problem(let problem): problem.description
        }
    }

    /// Whether every further request would fail in the same way, so that a run must stop.
    public var concernsAllRequests: Bool {
        switch self {
        case .cannotConnect, .tls: true
        case .problem(let problem): [401, 403, 404].contains(problem.status)
        case .timeout, .connectionLost, .invalidResponse: false
        }
    }
}

extension Double {
    /// The number without ".0" if it is an integer.
    var formatted: String { description.hasSuffix(".0") ? String(description.dropLast(2)) : description }
}
