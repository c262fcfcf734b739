import Dispatch
public import HTTP
public import Logging
public import Metrics
public import OpenSSL

/// An HTTP/1.1 server on a TCP socket, with or without TLS.
///
/// All connections use one serial queue, which only moves bytes and parses; handlers run elsewhere. A listening
/// server keeps itself alive until it is drained.
/// `@unchecked Sendable`: every stored variable is accessed only on `queue`.
public final class HTTPServer: @unchecked Sendable {
    /// Server configuration.
    public struct Configuration: Sendable {
        /// The address to listen on.
        public var host = "127.0.0.1"
        /// The port; 0 selects a free port.
        public var port: UInt16 = 8080
        /// A listening socket to use instead (socket activation).
        public var inheritedSocket: Int32?
        /// Whether to refuse to listen on an address that other machines can reach.
        public var isLoopbackOnly = false
        /// Maximum number of open connections.
        ///
        /// At the limit, the connection that has been idle longest is closed for a new one. If none is idle, new
        /// connections wait in the system's queue.
        public var maximumConnections = 1024
        /// Maximum number of open connections per address; further connections are closed immediately.
        public var maximumConnectionsPerAddress = 1024
        /// Memory budget for requests and responses; above it the slowest transfers are aborted.
        public var budget = MemoryBudget()
        /// Size limits of a request.
        public var limits = RequestLimits()
        /// Time limits.
        public var deadlines = Deadlines()
        /// Certificate and key; nil disables TLS.
        public var tls: TLSContext?

        /// The defaults.
        public init() {}
    }

    private let configuration: Configuration
    private let handler: any RequestHandler
    private let metrics: ConnectionMetrics
    private let logger: Logger
    private let queue = DispatchQueue(label: "dia.http")
    private let clock = ContinuousClock()
    private let start: ContinuousClock.Instant
    private var date = HTTPDate()
    private var listener: Listener?
    private var timer: (any DispatchSourceTimer)?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var connectionsByAddress: [PeerAddress: Int] = [:]
    private var tls: TLSContext?
    private let buffer = Connection.ReadBuffer()
    /// When a failure to accept was last logged, to limit the log rate.
    private var complained: Duration?
    private var isDraining = false
    private var isRelieving = false
    private var drained: [@Sendable () -> Void] = []

    /// Creates a server that is not listening yet; its metrics are registered in `metrics`.
    public init(
        _ configuration: Configuration,
        handler: any RequestHandler,
        metrics registry: MetricsRegistry,
        logger: Logger
    ) {
        self.configuration = configuration
        self.handler = handler
        metrics = ConnectionMetrics(registry)
        registry.observed("dia_held_bytes", "Memory held by connections (buffers) and by image processing (work).") {
            [budget = configuration.budget] in
            [["part": "buffers"]: Double(budget.buffers.bytes), ["part": "work"]: Double(budget.work.bytes)]
        }
        self.logger = logger
        tls = configuration.tls
        start = clock.now
    }

    /// Binds the socket and starts to accept connections; returns the address.
    public func listen() throws -> ListeningAddress {
        let socket =
            if let inherited = configuration.inheritedSocket {
                try Socket.adopt(inherited)
            } else {
                try Socket.listen(host: configuration.host, port: configuration.port)
            }
        var (address, isLoopback) = try socket.address()
        // The given name, not the address that it resolved to.
        if configuration.inheritedSocket == nil { address = .tcp(host: configuration.host, port: address.port) }
        guard isLoopback || !configuration.isLoopbackOnly else {
            throw ListenError(
                host: configuration.host,
                port: configuration.port,
                reason: "other machines could reach it"
            )
        }
        let listener = Listener(socket, queue: queue) { self.acceptWaiting() }
        queue.sync { begin(listener) }
        return address
    }

    private func begin(_ listener: Listener) {
        self.listener = listener
        listener.setAccepting(true)
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: Self.tickInterval.dispatched, leeway: .milliseconds(50))
        timer.setEventHandler { self.tick() }
        timer.resume()
        self.timer = timer
    }

    /// Interval between checks of all deadlines.
    static let tickInterval = Duration.milliseconds(250)

    private var now: Duration { clock.now - start }

    /// Sets the certificate for new connections; existing connections keep theirs.
    public func replace(tls: TLSContext) { queue.async { self.tls = tls } }

    /// Calls `pulse` on the server's queue every `interval`; if the calls stop, the queue serves no connections
    /// either.
    public func everyInterval(_ interval: Duration, _ pulse: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            guard !isDraining else { return }
            pulse()
            queue.asyncAfter(deadline: .now() + interval.dispatched) { self.everyInterval(interval, pulse) }
        }
    }

    private func acceptWaiting() {
        // A connection is waiting, because this function was called: close an idle one to make room for it.
        if connections.count >= configuration.maximumConnections { evict() }
        do {
            while !isDraining, connections.count < configuration.maximumConnections,
                let accepted = try listener?.accept()
            {
                add(accepted.socket, accepted.address)
            }
        } catch {
            // Out of descriptors or memory: close an idle connection, and let the timer try again later.
            metrics.refused(.system)
            if complained.map({ now - $0 >= .seconds(10) }) ?? true {
                complained = now
                logger.warning("cannot accept connections", metadata: ["reason": "\(error)"])
            }
            evict()
            listener?.setAccepting(false)
            return
        }
        if connections.count >= configuration.maximumConnections { listener?.setAccepting(false) }
    }

    /// Closes the connection that has been idle longest; if none is idle, the one with the slowest transfer below the
    /// minimum rate.
    private func evict() {
        let now = now
        let idle = connections.values.compactMap { connection in connection.idleSince.map { (connection, $0) } }
        // A new connection may be about to send its request.
        if let (connection, since) = idle.min(by: { $0.1 < $1.1 }), now - since >= .seconds(1) {
            metrics.refused(.evicted)
            return connection.abort()
        }
        let slow = connections.values.compactMap { connection in
            connection.transferRate(now: now).map { (connection, $0) }
        }
        guard let (slowest, rate) = slow.min(by: { $0.1 < $1.1 }),
            rate < Double(configuration.deadlines.minimumRate)
        else { return }
        metrics.refused(.evicted)
        slowest.abort()
    }

    /// Aborts the slowest transfers until the memory held by connections is within the budget.
    ///
    /// A quarter of the budget is divided among the connections, and a connection within its share is never aborted:
    /// a small request always succeeds, regardless of other connections. Larger requests use the other three
    /// quarters.
    private func relieve() {
        let budget = configuration.budget.buffers
        let share = budget.limit / 4 / configuration.maximumConnections
        let limit = budget.limit - share * configuration.maximumConnections
        guard budget.bytes > limit, !isRelieving else { return }
        isRelieving = true
        defer { isRelieving = false }
        let now = now
        while budget.bytes > limit {
            let candidates = connections.values.compactMap { connection in
                connection.heldBytes > share ? connection.transferRate(now: now).map { (connection, $0) } : nil
            }
            guard let (slowest, _) = candidates.min(by: { ($0.1, -$0.0.heldBytes) < ($1.1, -$1.0.heldBytes) }) else {
                return
            }
            slowest.evict()
        }
    }

    private func add(_ socket: consuming Socket, _ address: PeerAddress) {
        guard connectionsByAddress[address, default: 0] < configuration.maximumConnectionsPerAddress else {
            metrics.refused(.address)
            return
        }
        let session: TLSSession?
        do {
            session = try tls.map { context throws(TLSError) in try TLSSession(context) }
        } catch {
            metrics.refused(.system)
            return
        }
        let now = now
        let connection = Connection(
            socket,
            address: address,
            tls: session,
            state: HTTP1ConnectionState(limits: configuration.limits, deadlines: configuration.deadlines, now: now),
            handshakeDeadline: now + configuration.deadlines.handshake,
            environment: environment
        )
        connections[ObjectIdentifier(connection)] = connection
        connectionsByAddress[address, default: 0] += 1
        metrics.opened()
        connection.start()
    }

    private var environment: Connection.Environment {
        let handler = handler
        let queue = queue
        let budget = configuration.budget.buffers
        return Connection.Environment(
            queue: queue,
            now: { [unowned self] in now },
            date: { [unowned self] in date.now() },
            admit: { handler.admit($0, from: $1) },
            run: { job, answer in
                let task = Task {
                    let response = await job()
                    queue.async { answer(response) }
                }
                return { task.cancel() }
            },
            produce: { stream, give in
                Task {
                    let result: Result<[UInt8]?, any Error>
                    do { result = .success(try await stream.next()) } catch { result = .failure(error) }
                    queue.async { give(result) }
                }
            },
            errorResponse: { handler.errorResponse(for: $0, from: $1) },
            hold: { [unowned self] change in
                budget.add(change)
                if change > 0 { relieve() }
            },
            metrics: metrics,
            closed: { [unowned self] in remove($0) },
            buffer: buffer
        )
    }

    private func remove(_ connection: Connection) {
        connections[ObjectIdentifier(connection)] = nil
        let left = connectionsByAddress[connection.address, default: 1] - 1
        connectionsByAddress[connection.address] = left > 0 ? left : nil
        metrics.closed()
        queue.async { [self] in
            // The connection was still on the call stack; it can be released now.
            withExtendedLifetime(connection) {}
            if connections.isEmpty, isDraining { finishDraining() }
        }
    }

    private func tick() {
        let now = now
        for connection in connections.values { connection.checkDeadline(now) }
        if !isDraining { listener?.setAccepting(true) }
    }

    /// Stops accepting, finishes requests in progress, and returns when all connections are closed.
    ///
    /// Connections that are still open after `limit` are closed. Every server that listened must be drained.
    public func drain(limit: Duration) async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                isDraining = true
                drained.append { continuation.resume() }
                listener?.close()
                listener = nil
                for connection in connections.values { connection.drain() }
                if connections.isEmpty { return finishDraining() }
                queue.asyncAfter(deadline: .now() + limit.dispatched) { [self] in
                    for connection in connections.values { connection.abort() }
                }
            }
        }
    }

    private func finishDraining() {
        timer?.cancel()
        timer = nil
        for continuation in drained { continuation() }
        drained = []
    }
}

extension Duration {
    /// The duration as a `DispatchTimeInterval`.
    var dispatched: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        return .nanoseconds(Int(clamping: seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
