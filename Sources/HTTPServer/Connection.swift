import Dispatch
import HTTP
import OpenSSL

/// The shell around ``HTTP1ConnectionState``: the one owner of a connection's descriptor.
///
/// Actions wait in a queue and are performed by a loop, one after another: an action that leads to another one adds it
/// to the queue, so the depth of the stack does not depend on what a client sends.
/// `@unchecked Sendable`: everything here runs on the server's queue.
final class Connection: @unchecked Sendable {
    /// What a connection needs of its server.
    struct Environment {
        let queue: DispatchQueue
        let now: () -> Duration
        let date: () -> String
        /// The response to a request that its head decides.
        let earlyResponse: (RequestHead, Peer) -> Response?
        /// Handles a request and calls back, on the queue; what it returns cancels the work.
        let handle: (Request, Peer, @escaping @Sendable (Response) -> Void) -> () -> Void
        /// Has a stream make its next piece and calls back, on the queue.
        let produce: (any BodyStream, @escaping @Sendable (Result<[UInt8]?, any Error>) -> Void) -> Void
        let errorResponse: (RequestError, Peer) -> Response
        /// Counts more bytes as held, or fewer.
        let hold: (Int) -> Void
        let metrics: ConnectionMetrics
        let closed: (Connection) -> Void
        /// Where reads go; all connections share it, since they read one after another.
        let buffer: ReadBuffer
    }

    /// Memory for one read.
    final class ReadBuffer {
        var bytes = [UInt8](repeating: 0, count: 65_536)
    }

    /// Reads for each time that the descriptor is readable, so that one fast sender does not keep the others waiting;
    /// what is left wakes the source again.
    private static let readsPerTurn = 4
    /// Bytes sent for each time that the descriptor is writable, for the same reason.
    private static let bytesPerTurn = 1 << 20
    /// Bytes that are encrypted at a time.
    private static let sealedAtOnce = 1 << 16

    /// Whose the connection is, as far as limits go.
    let address: PeerAddress
    /// Bytes held for its requests and answers.
    private(set) var heldBytes = 0
    private var peer: Peer
    private let descriptor: Int32
    private let environment: Environment
    private var rules: HTTP1ConnectionState
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
    /// What is to be sent, and with TLS not encrypted yet.
    private var outgoing = OutgoingBytes()
    /// What goes on the wire as it is.
    private var wire = OutgoingBytes()
    private var isWaking = false
    private var rate: TransferRate
    private var cancelWork: (() -> Void)?
    private var stream: (any BodyStream)?
    private var isClosed = false

    init(
        descriptor: Int32,
        address: PeerAddress,
        tls: TLSSession?,
        rules: HTTP1ConnectionState,
        handshakeDeadline: Duration,
        environment: Environment
    ) {
        self.descriptor = descriptor
        self.address = address
        self.tls = tls
        self.rules = rules
        self.handshakeDeadline = handshakeDeadline
        self.environment = environment
        peer = Peer(address: address.text)
        rate = TransferRate(now: environment.now())
        reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: environment.queue)
        writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: environment.queue)
    }

    /// Since when the connection has waited for a request; nil if it does not.
    var idleSince: Duration? { rules.idleSince }

    /// The recent bytes per second of the request or answer being transferred; nil if there is none.
    func transferRate(now: Duration) -> Double? {
        rules.isTransferring ? rate.bytesPerSecond(now: now) : nil
    }

    /// Starts reading.
    ///
    /// The descriptor is closed when both sources have let go of it.
    func start() {
        let group = DispatchGroup()
        let descriptor = descriptor
        group.enter()
        group.enter()
        reader.setCancelHandler { group.leave() }
        writer.setCancelHandler { group.leave() }
        group.notify(queue: environment.queue) { Socket.close(descriptor) }
        reader.setEventHandler { [unowned self] in self.readable() }
        writer.setEventHandler { [unowned self] in self.writable() }
        reader.resume()
    }

    /// Acts if a deadline has passed.
    func checkDeadline(_ now: Duration) {
        if let tls, !tls.isEstablished, now >= handshakeDeadline {
            environment.metrics.refused(.handshake)
            return close()
        }
        guard let deadline = rules.deadline, now >= deadline else { return }
        perform(rules.expired(now: now))
    }

    /// Finishes what was begun and starts nothing new.
    func drain() { perform(rules.drain()) }

    /// Closes at once.
    func abort() { close() }

    /// Gives up the transfer under way, since memory is short: a request is answered with 503, an answer is broken off.
    func evict() {
        environment.metrics.refused(.bytes)
        let error = RequestError(503, "the server is short of memory for requests; try again in 1 s")
        let refusal = rules.cancel(error, now: environment.now())
        if refusal.isEmpty { close() } else { perform(refusal) }
    }

    private func readable() {
        for _ in 0..<Self.readsPerTurn where !isClosed && !isYielding && rules.wantsInput {
            do {
                switch try Socket.receive(descriptor, into: &environment.buffer.bytes) {
                case .bytes(let bytes): received(bytes)
                case .end: perform(rules.receivedEnd(now: environment.now()))
                case .nothingYet: return
                }
            } catch {
                close()
            }
        }
    }

    private func received(_ bytes: ArraySlice<UInt8>) {
        let now = environment.now()
        if rules.isTransferring { rate.moved(bytes.count, now: now) }
        guard let tls else { return perform(rules.received(bytes, now: now)) }
        let wasEstablished = tls.isEstablished
        do {
            let plain = try tls.open(bytes)
            if !wasEstablished, tls.isEstablished {
                peer.certificate = tls.peerCertificate.map {
                    Peer.Certificate(subject: $0.subject, fingerprint: $0.fingerprint)
                }
            }
            transmit(tls.takeOutgoing())
            if !plain.isEmpty { perform(rules.received(plain, now: now)) }
            if tls.hasEnded, !isClosed { perform(rules.receivedEnd(now: now)) }
            if !isClosed { account() }
        } catch {
            if !wasEstablished { environment.metrics.refused(.handshake) }
            // The alert that says why.
            transmit(tls.takeOutgoing())
            close()
        }
    }

    private func writable() {
        guard !isClosed else { return }
        flush()
    }

    /// Performs `new` actions, and those that follow from them, until there is nothing to do.
    private func perform(_ new: [HTTP1ConnectionState.Action]) {
        actions += new
        guard !isPerforming, !isYielding else { return }
        isPerforming = true
        var hasConsidered = false
        while !isClosed, !actions.isEmpty {
            if case .headReceived = actions[0] {
                // One request a turn: whoever sends thousands at once lets the other connections in between.
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

    /// Has a deadline that is closer than the server's own look at all of them checked in time.
    private func wakeSoon() {
        guard !isWaking, let deadline = rules.deadline else { return }
        let left = deadline - environment.now()
        guard left < HTTPServer.tickInterval else { return }
        isWaking = true
        environment.queue.asyncAfter(deadline: .now() + max(.zero, left).dispatched) { [weak self] in
            guard let self else { return }
            isWaking = false
            if !isClosed { checkDeadline(environment.now()) }
        }
    }

    /// Goes on with the waiting actions when the other connections have had their turn.
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
            if let response = environment.earlyResponse(head, peer) {
                answer(response)
            } else {
                rate = TransferRate(now: environment.now())
                perform(rules.proceed(now: environment.now()))
            }
        case .handle(let request):
            cancelWork = environment.handle(request, peer) { [weak self] response in self?.answer(response) }
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
            // What does not fit on the wire yet would be lost by it.
            if wire.isEmpty { Socket.closeSending(descriptor) }
        case .close: close()
        }
    }

    /// Tells the server how much is held.
    private func account() {
        let change = rules.heldBytes + outgoing.count + wire.count - heldBytes
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
        rate = TransferRate(now: environment.now())
        perform(rules.respond(response, date: environment.date(), now: environment.now()))
    }

    private func produce() {
        guard let stream else { return }
        environment.produce(stream) { [weak self] result in
            guard let self, !isClosed else { return }
            switch result {
            case .success(let piece):
                if piece == nil { self.stream = nil }
                perform(rules.piece(piece, now: environment.now()))
            case .failure:
                self.stream = nil
                perform(rules.abortBody())
            }
        }
    }

    /// Sends `bytes` of TLS as they are.
    private func transmit(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        wire.append(bytes[...])
        flush()
    }

    /// Sends what waits, as much as the descriptor takes and a turn allows.
    private func flush() {
        var left = Self.bytesPerTurn
        do {
            while left > 0, try fillWire() {
                let count = try Socket.send(descriptor, wire.next(left))
                if count == 0 { break }
                wire.remove(count)
                left -= count
                rules.sent(bytes: count)
                rate.moved(count, now: environment.now())
            }
        } catch {
            return close()
        }
        let isDone = wire.isEmpty && outgoing.isEmpty
        setWriting(!isDone)
        if isDone { perform(rules.sent(now: environment.now())) }
    }

    /// Encrypts more if nothing waits on the wire; whether anything does.
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
        guard !isClosed, rules.wantsInput != isReading else { return }
        isReading = rules.wantsInput
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
        cancelWork = nil
        stream?.cancel()
        stream = nil
        (outgoing, wire) = (OutgoingBytes(), OutgoingBytes())
        environment.hold(-heldBytes)
        heldBytes = 0
        // A suspended source cannot be cancelled to its end, nor freed.
        if !isReading { reader.resume() }
        if !isWriting { writer.resume() }
        reader.cancel()
        writer.cancel()
        environment.closed(self)
    }
}
