import Dispatch
public import HTTP
public import Logging
public import Metrics
public import OpenSSL

/// An HTTP/1.1 server on a TCP socket, with or without TLS.
///
/// All connections live on one serial queue, which only moves bytes and parses; handlers run elsewhere. A
/// server that listens keeps itself alive until it is drained.
/// `@unchecked Sendable`: every stored variable is touched on `queue` alone.
public final class HTTPServer: @unchecked Sendable {
    /// Where and how to serve.
    public struct Configuration: Sendable {
        /// The address to listen on.
        public var host = "127.0.0.1"
        /// The port; 0 takes a free one.
        public var port: UInt16 = 8080
        /// A listening socket to take over instead (socket activation).
        public var inheritedSocket: Int32?
        /// Whether to refuse an address that others than this machine can reach.
        public var isLoopbackOnly = false
        /// The most connections at once; beyond them the one idle longest is closed, and when none is, more wait in
        /// the system's queue.
        public var maximumConnections = 1024
        /// The most connections of one address at once; more are closed at once.
        public var maximumConnectionsPerAddress = 1024
        /// The memory for requests and answers; beyond it the slowest transfers are given up.
        public var budget = MemoryBudget(bytes: 512 << 20, work: 128 << 20)
        /// Limits on a request.
        public var limits = RequestLimits()
        /// Limits on time.
        public var deadlines = Deadlines()
        /// Certificate and key; nil serves without TLS.
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
    private var listener: Int32 = -1
    private var acceptor: (any DispatchSourceRead)?
    private var isAccepting = false
    private var timer: (any DispatchSourceTimer)?
    private var connections: [ObjectIdentifier: Connection] = [:]
    private var connectionsByAddress: [PeerAddress: Int] = [:]
    private var tls: TLSContext?
    private let buffer = Connection.ReadBuffer()
    /// When it was last said that connections cannot be accepted: not at every attempt.
    private var complained: Duration?
    private var isDraining = false
    private var isRelieving = false
    private var drained: [@Sendable () -> Void] = []

    /// A server that is not yet listening; what it counts is registered in `metrics`.
    public init(
        _ configuration: Configuration,
        handler: any RequestHandler,
        metrics registry: MetricsRegistry,
        logger: Logger
    ) {
        self.configuration = configuration
        self.handler = handler
        metrics = ConnectionMetrics(registry)
        registry.observed("dia_held_bytes", "Memory held by connections (buffers) and by work on images (work).") {
            [budget = configuration.budget] in
            [["part": "buffers"]: Double(budget.buffers.bytes), ["part": "work"]: Double(budget.work.bytes)]
        }
        self.logger = logger
        tls = configuration.tls
        start = clock.now
    }

    /// Binds and starts to accept; returns where.
    public func listen() throws -> ListeningAddress {
        let descriptor: Int32
        if let inherited = configuration.inheritedSocket {
            try Socket.adopt(inherited)
            descriptor = inherited
        } else {
            descriptor = try Socket.listen(host: configuration.host, port: configuration.port)
        }
        var (address, isLoopback) = try Socket.address(of: descriptor)
        // The name as it was given, rather than the number that it resolved to.
        if configuration.inheritedSocket == nil { address = .tcp(host: configuration.host, port: address.port) }
        guard isLoopback || !configuration.isLoopbackOnly else {
            Socket.close(descriptor)
            throw ListenError(
                host: configuration.host,
                port: configuration.port,
                reason: "other machines could reach it"
            )
        }
        queue.sync { begin(descriptor) }
        return address
    }

    private func begin(_ descriptor: Int32) {
        listener = descriptor
        let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
        source.setEventHandler { self.acceptWaiting() }
        source.setCancelHandler { Socket.close(descriptor) }
        source.resume()
        acceptor = source
        isAccepting = true
        let timer = DispatchSource.makeTimerSource(queue: queue)
        timer.schedule(deadline: .now(), repeating: Self.tickInterval.dispatched, leeway: .milliseconds(50))
        timer.setEventHandler { self.tick() }
        timer.resume()
        self.timer = timer
    }

    /// How often all deadlines are looked at.
    static let tickInterval = Duration.milliseconds(250)

    private var now: Duration { clock.now - start }

    /// Has new connections use another certificate; those there are keep theirs.
    public func replace(tls: TLSContext) { queue.async { self.tls = tls } }

    /// Calls `pulse` on the server's queue every `interval`: where it stays out, no connection is served either.
    public func everyInterval(_ interval: Duration, _ pulse: @escaping @Sendable () -> Void) {
        queue.async { [self] in
            guard !isDraining else { return }
            pulse()
            queue.asyncAfter(deadline: .now() + interval.dispatched) { self.everyInterval(interval, pulse) }
        }
    }

    private func acceptWaiting() {
        // A connection waits, or this would not be called: one that is idle makes room for it.
        if connections.count >= configuration.maximumConnections { evict() }
        do {
            while !isDraining, connections.count < configuration.maximumConnections,
                let (descriptor, address) = try Socket.accept(listener)
            {
                add(descriptor, address)
            }
        } catch {
            // Out of descriptors or memory: the timer tries again once some may be free, an idle one's at once.
            metrics.refused(.system)
            if complained.map({ now - $0 >= .seconds(10) }) ?? true {
                complained = now
                logger.warning("cannot accept connections", metadata: ["reason": "\(error)"])
            }
            evict()
            return setAccepting(false)
        }
        if connections.count >= configuration.maximumConnections { setAccepting(false) }
    }

    /// Closes the connection that has been idle longest; if none is idle, the one with the slowest transfer below the
    /// rate that is expected of a transfer.
    private func evict() {
        let now = now
        let idle = connections.values.compactMap { connection in connection.idleSince.map { (connection, $0) } }
        // One that has just come may be about to send its request.
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

    /// Gives up the slowest transfers until what connections hold is within the budget.
    ///
    /// A quarter of the budget is divided among the connections, and one within its share is never given up: a small
    /// request gets through whatever others do. Larger ones have the other three quarters.
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

    private func setAccepting(_ wanted: Bool) {
        guard let acceptor, wanted != isAccepting else { return }
        isAccepting = wanted
        if wanted { acceptor.resume() } else { acceptor.suspend() }
    }

    private func add(_ descriptor: Int32, _ address: PeerAddress) {
        guard connectionsByAddress[address, default: 0] < configuration.maximumConnectionsPerAddress else {
            metrics.refused(.address)
            return Socket.close(descriptor)
        }
        let session: TLSSession?
        do {
            session = try tls.map { context throws(TLSError) in try TLSSession(context) }
        } catch {
            metrics.refused(.system)
            return Socket.close(descriptor)
        }
        let now = now
        let connection = Connection(
            descriptor: descriptor,
            address: address,
            tls: session,
            rules: HTTP1ConnectionState(limits: configuration.limits, deadlines: configuration.deadlines, now: now),
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
            earlyResponse: { handler.earlyResponse(to: $0, from: $1) },
            handle: { request, peer, answer in
                let task = Task {
                    let response = await handler.respond(to: request, from: peer)
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
            // The connection was still on the call stack; it goes now that this has unwound.
            withExtendedLifetime(connection) {}
            if connections.isEmpty, isDraining { finishDraining() }
        }
    }

    private func tick() {
        let now = now
        for connection in connections.values { connection.checkDeadline(now) }
        if !isDraining { setAccepting(true) }
    }

    /// Stops accepting, finishes what was begun, and returns when every connection is closed, or has been closed
    /// because `limit` was over.
    ///
    /// Every server that listened must be drained in the end.
    public func drain(limit: Duration) async {
        await withCheckedContinuation { continuation in
            queue.async { [self] in
                isDraining = true
                drained.append { continuation.resume() }
                setAccepting(true)
                acceptor?.cancel()
                acceptor = nil
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
    /// The interval as Dispatch takes it.
    var dispatched: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        return .nanoseconds(Int(clamping: seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
