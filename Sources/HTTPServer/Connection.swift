import Dispatch
import HTTP
import OpenSSL

/// Performs the actions of an ``HTTP1ConnectionState`` and owns the connection's socket.
///
/// A loop takes the actions from a queue and performs them one after another. An action that leads to another one
/// appends it to the queue, so the stack depth does not depend on what a client sends.
/// `@unchecked Sendable`: all code runs on the server's queue.
final class Connection: @unchecked Sendable {
    /// What a connection needs from its server.
    struct Environment {
        let queue: DispatchQueue
        let now: () -> Duration
        let date: () -> String
        /// Decides about a request from its head.
        let admit: (RequestHead, Peer) -> HeadDecision
        /// Runs a job and calls back on the queue; the returned closure cancels the job.
        let run: (@escaping @Sendable () async -> Response, @escaping @Sendable (Response) -> Void) -> () -> Void
        /// Gets the next piece of a stream and calls back on the queue.
        let produce: (any BodyStream, @escaping @Sendable (Result<[UInt8]?, any Error>) -> Void) -> Void
        let errorResponse: (RequestError, Peer) -> Response
        /// Adds to the number of held bytes; the change may be negative.
        let hold: (Int) -> Void
        let metrics: ConnectionMetrics
        let closed: (Connection) -> Void
        /// Buffer for reads, shared by all connections because they read one after another.
        let buffer: ReadBuffer
    }

    /// Buffer for one read.
    final class ReadBuffer {
        var bytes = [UInt8](repeating: 0, count: 65_536)
    }

    /// Maximum reads each time the descriptor is readable, so that one fast sender does not delay the other
    /// connections.
    ///
    /// Remaining data triggers the source again.
    private static let readsPerTurn = 4
    /// Maximum bytes sent each time the descriptor is writable, for the same reason.
    private static let bytesPerTurn = 1 << 20
    /// Maximum bytes encrypted at once.
    private static let sealedAtOnce = 1 << 16

    /// Peer address to which limits apply.
    let address: PeerAddress
    /// Bytes held for requests and responses of this connection.
    private(set) var heldBytes = 0
    private var peer: Peer
    private let socket: Socket
    private let environment: Environment
    private var state: HTTP1ConnectionState
    private let tls: TLSSession?
    private let handshakeDeadline: Duration
    private let reader: any DispatchSourceRead
    private let writer: any DispatchSourceWrite
    private var isReading = true
    private var isWriting = false
    private var actions: [HTTP1ConnectionState.Action] = []
    private var isPerforming = false
    /// Whether actions wait for the connection's next turn on the queue.
    private var isYielding = false
    /// Bytes to send; with TLS, not encrypted yet.
    private var outgoing = OutgoingBytes()
    /// Bytes to write to the socket unchanged.
    private var wire = OutgoingBytes()
    private var isWaking = false
    private var rate: TransferRate
    /// Handler of the request whose body is being read.
    private var handleBody: (@Sendable ([UInt8]) async -> Response)?
    /// The body that is being read while it is handled.
    private var incoming: IncomingBody?
    private var cancelWork: (() -> Void)?
    private var stream: (any BodyStream)?
    private var isClosed = false

    init(
        _ socket: consuming Socket,
        address: PeerAddress,
        tls: TLSSession?,
        state: HTTP1ConnectionState,
        handshakeDeadline: Duration,
        environment: Environment
    ) {
        self.address = address
        self.tls = tls
        self.state = state
        self.handshakeDeadline = handshakeDeadline
        self.environment = environment
        peer = Peer(address: address.text)
        rate = TransferRate(now: environment.now())
        reader = DispatchSource.makeReadSource(fileDescriptor: socket.descriptor, queue: environment.queue)
        writer = DispatchSource.makeWriteSource(fileDescriptor: socket.descriptor, queue: environment.queue)
        self.socket = socket
    }

    /// When the connection began to wait for a request; nil if it is not waiting.
    var idleSince: Duration? { state.idleSince }

    /// Returns the recent bytes per second of the current transfer; nil if there is none.
    func transferRate(now: Duration) -> Double? {
        state.isTransferring ? rate.bytesPerSecond(now: now) : nil
    }

    /// Starts reading.
    ///
    /// The descriptor must stay open until both sources are cancelled, so the connection keeps itself alive until then.
    func start() {
        let group = DispatchGroup()
        group.enter()
        group.enter()
        reader.setCancelHandler { group.leave() }
        writer.setCancelHandler { group.leave() }
        group.notify(queue: environment.queue) { withExtendedLifetime(self) {} }
        reader.setEventHandler { [unowned self] in self.readable() }
        writer.setEventHandler { [unowned self] in self.writable() }
        reader.resume()
    }

    /// Handles an expired deadline.
    func checkDeadline(_ now: Duration) {
        if let tls, !tls.isEstablished, now >= handshakeDeadline {
            environment.metrics.refused(.handshake)
            return close()
        }
        guard let deadline = state.deadline, now >= deadline else { return }
        perform(state.expired(now: now))
    }

    /// Finishes requests in progress and starts no new ones.
    func drain() { perform(state.drain()) }

    /// Closes the connection immediately.
    func abort() { close() }

    /// Aborts the current transfer because memory is short: a request gets a 503 response, a response is truncated.
    func evict() {
        environment.metrics.refused(.bytes)
        let error = RequestError(503, "the server is short of memory for requests; try again in 1 s")
        let rejection = state.cancel(error, now: environment.now())
        if rejection.isEmpty { close() } else { perform(rejection) }
    }

    private func readable() {
        for _ in 0..<Self.readsPerTurn where !isClosed && !isYielding && state.wantsInput {
            do {
                switch try socket.receive(into: &environment.buffer.bytes) {
                case .bytes(let bytes): received(bytes)
                case .end: perform(state.receivedEnd(now: environment.now()))
                case .nothingYet: return
                }
            } catch {
                close()
            }
        }
    }

    private func received(_ bytes: ArraySlice<UInt8>) {
        let now = environment.now()
        if state.isTransferring { rate.moved(bytes.count, now: now) }
        guard let tls else { return perform(state.received(bytes, now: now)) }
        let wasEstablished = tls.isEstablished
        do {
            let plain = try tls.open(bytes)
            if !wasEstablished, tls.isEstablished {
                peer.certificate = tls.peerCertificate.map {
                    Peer.Certificate(subject: $0.subject, fingerprint: $0.fingerprint)
                }
            }
            transmit(tls.takeOutgoing())
            if !plain.isEmpty { perform(state.received(plain, now: now)) }
            if tls.hasEnded, !isClosed { perform(state.receivedEnd(now: now)) }
            if !isClosed { account() }
        } catch {
            if !wasEstablished { environment.metrics.refused(.handshake) }
            // Sends the TLS alert with the reason.
            transmit(tls.takeOutgoing())
            close()
        }
    }

    private func writable() {
        guard !isClosed else { return }
        flush()
    }

    /// Performs `new` actions and the actions that follow from them.
    private func perform(_ new: [HTTP1ConnectionState.Action]) {
        actions += new
        guard !isPerforming, !isYielding else { return }
        isPerforming = true
        var hasConsidered = false
        while !isClosed, !actions.isEmpty {
            if case .headReceived = actions[0] {
                // One request per turn: a client that sends thousands at once must not block the other connections.
                if hasConsidered {
                    yield()
                    break
                }
                hasConsidered = true
            }
            perform(actions.removeFirst())
        }
        isPerforming = false
        guard !isClosed else { return }
        account()
        updateReading()
        wakeSoon()
    }

    /// Schedules a check of a deadline that is earlier than the server's next tick.
    private func wakeSoon() {
        guard !isWaking, let deadline = state.deadline else { return }
        let left = deadline - environment.now()
        guard left < HTTPServer.tickInterval else { return }
        isWaking = true
        environment.queue.asyncAfter(deadline: .now() + max(.zero, left).dispatched) { [weak self] in
            guard let self else { return }
            isWaking = false
            if !isClosed { checkDeadline(environment.now()) }
        }
    }

    /// Continues with the waiting actions after the other connections have had their turn.
    private func yield() {
        isYielding = true
        environment.queue.async { [self] in
            isYielding = false
            perform([])
        }
    }

    private func perform(_ action: HTTP1ConnectionState.Action) {
        switch action {
        case .headReceived(let head):
            switch environment.admit(head, peer) {
            case .respond(let response): answer(response)
            case .readBody(let handler):
                handleBody = handler
                rate = TransferRate(now: environment.now())
                perform(state.proceed(now: environment.now()))
            case .streamBody(let handler): handleStreaming(handler)
            }
        case .handle(let request):
            guard let handleBody else { preconditionFailure("a request is handled before its head was admitted") }
            self.handleBody = nil
            cancelWork = environment.run({ await handleBody(request.body) }) { [weak self] in self?.answer($0) }
        case .body(let bytes):
            if incoming?.add(bytes) == false { state.pauseBody(now: environment.now()) }
        case .bodyEnded(let error):
            incoming?.end(error)
            incoming = nil
        case .reject(let error): answer(environment.errorResponse(error, peer))
        case .send(let bytes):
            outgoing.append(bytes[...])
            flush()
        case .pullBody: produce()
        case .closeSending:
            if let tls {
                tls.end()
                transmit(tls.takeOutgoing())
            }
            // Unsent bytes would be lost.
            if wire.isEmpty { socket.closeSending() }
        case .close: close()
        }
    }

    /// Starts `handler` with a body that it reads while it arrives.
    private func handleStreaming(_ handler: @escaping @Sendable (any BodySource) async -> Response) {
        let queue = environment.queue
        let body = IncomingBody { [weak self] in
            queue.async { [weak self] in
                guard let self, !isClosed else { return }
                perform(state.resumeBody(now: environment.now()))
            }
        }
        incoming = body
        rate = TransferRate(now: environment.now())
        cancelWork = environment.run({ await handler(body) }) { [weak self] in self?.answer($0) }
        perform(state.proceedStreaming(now: environment.now()))
    }

    /// Reports the number of held bytes to the server.
    private func account() {
        let change = state.heldBytes + (incoming?.count ?? 0) + outgoing.count + wire.count - heldBytes
        guard change != 0 else { return }
        heldBytes += change
        environment.hold(change)
    }

    private func answer(_ response: Response) {
        guard !isClosed else {
            response.stream?.cancel()
            return
        }
        cancelWork = nil
        stream = response.stream
        // A response without a stream is the handler's last word.
        if stream == nil { incoming = nil }
        rate = TransferRate(now: environment.now())
        perform(state.respond(response, date: environment.date(), now: environment.now()))
    }

    private func produce() {
        guard let stream else { return }
        environment.produce(stream) { [weak self] result in
            guard let self, !isClosed else { return }
            switch result {
            case .success(let piece):
                if piece == nil { (self.stream, incoming) = (nil, nil) }
                perform(state.piece(piece, now: environment.now()))
            case .failure:
                self.stream = nil
                perform(state.abortBody())
            }
        }
    }

    /// Sends bytes that TLS produced, unchanged.
    private func transmit(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        wire.append(bytes[...])
        flush()
    }

    /// Sends queued bytes, as many as the descriptor accepts and a turn allows.
    private func flush() {
        var left = Self.bytesPerTurn
        do {
            while left > 0, try fillWire() {
                let count = try socket.send(wire.next(left))
                if count == 0 { break }
                wire.remove(count)
                left -= count
                state.sent(bytes: count)
                rate.moved(count, now: environment.now())
            }
        } catch {
            return close()
        }
        let isDone = wire.isEmpty && outgoing.isEmpty
        setWriting(!isDone)
        if isDone { perform(state.sent(now: environment.now())) }
    }

    /// Encrypts more bytes if the socket queue is empty; returns whether there is anything to send.
    private func fillWire() throws(TLSError) -> Bool {
        if wire.isEmpty, !outgoing.isEmpty {
            let plain = outgoing.next(tls == nil ? .max : Self.sealedAtOnce)
            if let tls {
                try tls.seal(plain)
                wire.append(tls.takeOutgoing()[...])
            } else {
                wire.append(plain)
            }
            outgoing.remove(plain.count)
        }
        return !wire.isEmpty
    }

    private func updateReading() {
        guard !isClosed, state.wantsInput != isReading else { return }
        isReading = state.wantsInput
        if isReading { reader.resume() } else { reader.suspend() }
    }

    private func setWriting(_ wanted: Bool) {
        guard !isClosed, wanted != isWriting else { return }
        isWriting = wanted
        if wanted { writer.resume() } else { writer.suspend() }
    }

    private func close() {
        guard !isClosed else { return }
        isClosed = true
        if cancelWork != nil || stream != nil { environment.metrics.abandoned() }
        cancelWork?()
        (cancelWork, handleBody) = (nil, nil)
        incoming?.abort()
        incoming = nil
        stream?.cancel()
        stream = nil
        (outgoing, wire) = (OutgoingBytes(), OutgoingBytes())
        environment.hold(-heldBytes)
        heldBytes = 0
        // A suspended source can neither finish its cancellation nor be freed.
        if !isReading { reader.resume() }
        if !isWriting { writer.resume() }
        reader.cancel()
        writer.cancel()
        environment.closed(self)
    }
}
