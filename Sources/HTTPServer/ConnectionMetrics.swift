import Metrics

/// Metrics of the server's connections.
struct ConnectionMetrics: Sendable {
    /// Why a connection or transfer was closed before its request reached the handler.
    enum Rejection: String, CaseIterable {
        /// Too many connections from one address.
        case address
        /// An idle or stalled connection was closed to make room for a new one.
        case evicted
        /// A slow transfer was aborted because memory was short.
        case bytes
        /// The TLS handshake failed.
        case handshake
        /// The system is out of descriptors or memory.
        case system
    }

    private let open: Gauge
    private let accepted, cancelled, refusals: Counter

    init(_ registry: MetricsRegistry) {
        open = registry.gauge("dia_connections", "Number of open connections.")
        accepted = registry.counter("dia_connections_accepted_total", "Total accepted connections.")
        refusals = registry.counter(
            "dia_connections_refused_total",
            "Connections refused, or closed before a request was complete.",
            labels: Rejection.allCases.map { ["reason": $0.rawValue] }
        )
        cancelled = registry.counter(
            "dia_abandoned_requests_total",
            "Requests whose client disconnected before the response."
        )
    }

    func opened() {
        open.add(1)
        accepted.add()
    }

    func closed() { open.add(-1) }

    func refused(_ reason: Rejection) { refusals.add(1, ["reason": reason.rawValue]) }

    /// Counts a request whose client disconnected before the response.
    func abandoned() { cancelled.add() }
}
