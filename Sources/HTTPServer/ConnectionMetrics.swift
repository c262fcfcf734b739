import Metrics

/// What the server counts of its connections.
struct ConnectionMetrics: Sendable {
    /// Why a connection or a transfer was given up before its request reached the handler.
    enum Refusal: String, CaseIterable {
        /// Too many connections of one address.
        case address
        /// An idle or stalled connection made room for a new one.
        case evicted
        /// A slow transfer was given up because memory was short.
        case bytes
        /// TLS could not be agreed on.
        case handshake
        /// The system has no descriptors or memory left.
        case system
    }

    private let open: Gauge
    private let accepted, cancelled, refusals: Counter

    init(_ registry: MetricsRegistry) {
        open = registry.gauge("dia_connections", "Connections open.")
        accepted = registry.counter("dia_connections_accepted_total", "Connections accepted.")
        refusals = registry.counter(
            "dia_connections_refused_total",
            "Connections, or transfers on them, given up before their requests were complete.",
            labels: Refusal.allCases.map { ["reason": $0.rawValue] }
        )
        cancelled = registry.counter(
            "dia_abandoned_requests_total",
            "Requests whose client went away before the answer."
        )
    }

    func opened() {
        open.add(1)
        accepted.add()
    }

    func closed() { open.add(-1) }

    func refused(_ reason: Refusal) { refusals.add(1, ["reason": reason.rawValue]) }

    /// A client went away before its answer.
    func abandoned() { cancelled.add() }
}
