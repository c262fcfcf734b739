import Dispatch
public import HTTP
import Glibc
public import Logging

/// What answers requests.
public protocol RequestHandler: Sendable {
    /// The answer to a request. Never blocks: long work runs on threads of its own.
    func respond(to request: Request) async -> Response
    /// The answer to bytes that are no request.
    func refusal(_ error: RequestError) -> Response
}

/// An HTTP/1.1 server on a TCP socket.
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
        /// The most connections at once; more wait in the system's queue.
        public var maximumConnections = 1024
        /// Limits on a request.
        public var limits = RequestLimits()
        /// Limits on time.
        public var deadlines = ConnectionRules.Deadlines()

        /// The defaults.
        public init() {}
    }

    private let configuration: Configuration
    private let handler: any RequestHandler
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
    private var isDraining = false
    private var drained: [@Sendable () -> Void] = []

    /// A server that is not yet listening.
    public init(_ configuration: Configuration, handler: any RequestHandler, logger: Logger) {
        self.configuration = configuration
        self.handler = handler
        self.logger = logger
        start = clock.now
    }

    /// Binds and starts to accept; returns the port.
    public func listen() throws -> UInt16 {
        let descriptor = try Socket.listen(host: configuration.host, port: configuration.port)
        let port = try Socket.port(of: descriptor)
        queue.sync { begin(descriptor) }
        return port
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
        timer.schedule(deadline: .now(), repeating: .milliseconds(250), leeway: .milliseconds(50))
        timer.setEventHandler { self.tick() }
        timer.resume()
        self.timer = timer
    }

    private var now: Duration { clock.now - start }

    private func acceptWaiting() {
        do {
            while !isDraining, connections.count < configuration.maximumConnections,
                let descriptor = try Socket.accept(listener)
            {
                add(descriptor)
            }
        } catch {
            // Out of descriptors or memory: the timer tries again once some may be free.
            logger.warning("cannot accept connections", metadata: ["reason": "\(error)"])
            return setAccepting(false)
        }
        if connections.count >= configuration.maximumConnections { setAccepting(false) }
    }

    private func setAccepting(_ wanted: Bool) {
        guard let acceptor, wanted != isAccepting else { return }
        isAccepting = wanted
        if wanted { acceptor.resume() } else { acceptor.suspend() }
    }

    private func add(_ descriptor: Int32) {
        let handler = handler
        let queue = queue
        let connection = Connection(
            descriptor: descriptor,
            rules: ConnectionRules(limits: configuration.limits, deadlines: configuration.deadlines, now: now),
            environment: Connection.Environment(
                queue: queue,
                now: { [unowned self] in now },
                date: { [unowned self] in date.now() },
                handle: { request, answer in
                    Task {
                        let response = await handler.respond(to: request)
                        queue.async { answer(response) }
                    }
                },
                refusal: { handler.refusal($0) },
                closed: { [unowned self] in remove($0) }
            )
        )
        connections[ObjectIdentifier(connection)] = connection
        connection.start()
    }

    private func remove(_ connection: Connection) {
        // The connection is still on the call stack; it goes when that has unwound.
        queue.async { [self] in
            connections[ObjectIdentifier(connection)] = nil
            if connections.isEmpty, isDraining { finishDraining() }
        }
    }

    private func tick() {
        let now = now
        for connection in connections.values { connection.checkDeadline(now) }
        if !isDraining, connections.count < configuration.maximumConnections { setAccepting(true) }
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
                let (seconds, attoseconds) = limit.components
                let nanoseconds = Int(clamping: seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000)
                queue.asyncAfter(deadline: .now() + .nanoseconds(nanoseconds)) { [self] in
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
