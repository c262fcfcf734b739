import Synchronization

/// What the server counts of its connections.
public final class ConnectionMetrics: Sendable {
    /// Why a connection or a request was turned away before it reached the handler.
    enum Refusal: String, CaseIterable {
        /// Too many connections of one address.
        case address
        /// An idle connection made room for a new one.
        case evicted
        /// A slow transfer was given up because memory was short.
        case bytes
        /// TLS could not be agreed on.
        case handshake
        /// The system has no descriptors or memory left.
        case system
    }

    private struct State {
        var open = 0
        var accepted = 0
        var abandoned = 0
        var refused: [Refusal: Int] = [:]
    }

    private let state = Mutex(State())

    /// Metrics at zero.
    public init() {}

    func opened() {
        state.withLock { state in
            state.open += 1
            state.accepted += 1
        }
    }

    func closed() { state.withLock { $0.open -= 1 } }

    func refused(_ reason: Refusal) { state.withLock { $0.refused[reason, default: 0] += 1 } }

    /// A client went away before its answer.
    func abandoned() { state.withLock { $0.abandoned += 1 } }

    /// The metrics in Prometheus' text format.
    public var text: String {
        let state = state.withLock { $0 }
        func family(_ name: String, _ type: String, _ help: String, _ lines: [(labels: String, value: Int)]) -> String {
            "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
                + lines.map { "\(name)\($0.labels) \($0.value)\n" }.joined()
        }
        return family("dia_connections", "gauge", "Connections open.", [("", state.open)])
            + family("dia_connections_accepted_total", "counter", "Connections accepted.", [("", state.accepted)])
            + family(
                "dia_connections_refused_total",
                "counter",
                "Connections, or bodies on them, turned away before their requests were whole.",
                Refusal.allCases.map { ("{reason=\"\($0.rawValue)\"}", state.refused[$0] ?? 0) }
            )
            + family(
                "dia_abandoned_requests_total",
                "counter",
                "Requests whose client went away before the answer.",
                [("", state.abandoned)]
            )
    }
}
