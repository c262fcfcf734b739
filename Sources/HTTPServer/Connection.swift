import Dispatch
import HTTP
import TLS

/// The shell around ``ConnectionRules``: the one owner of a connection's descriptor.
///
/// `@unchecked Sendable`: everything here runs on the server's queue.
final class Connection: @unchecked Sendable {
    /// What a connection needs of its server.
    struct Environment {
        let queue: DispatchQueue
        let now: () -> Duration
        let date: () -> String
        /// The answer to a request that its head already rules out.
        let consider: (RequestHead) -> Response?
        /// Handles a request and calls back, on the queue; what it returns gives the work up.
        let handle: (Request, @escaping @Sendable (Response) -> Void) -> () -> Void
        /// Has a stream make its next piece and calls back, on the queue.
        let produce: (any BodyStream, @escaping @Sendable (Result<[UInt8]?, any Error>) -> Void) -> Void
        let refusal: (RequestError) -> Response
        /// Counts more bytes as held, or fewer; whether all that the server holds is within its limit.
        let hold: (Int) -> Bool
        let metrics: ConnectionMetrics
        let closed: (Connection) -> Void
        /// Where reads go; all connections share it, since they read one after another.
        let buffer: ReadBuffer
    }

    /// Memory for one read.
    final class ReadBuffer {
        var bytes = [UInt8](repeating: 0, count: 65_536)
    }

    /// Whose the connection is.
    let address: PeerAddress
    private let descriptor: Int32
    private let environment: Environment
    private var rules: ConnectionRules
    private let tls: TLSSession?
    private let handshakeDeadline: Duration
    private let reader: any DispatchSourceRead
    private let writer: any DispatchSourceWrite
    private var isReading = true
    private var isWriting = false
    private var outgoing: [UInt8] = []
    private var outgoingStart = 0
    private var heldBytes = 0
    private var giveUp: (() -> Void)?
    private var stream: (any BodyStream)?
    private var isClosed = false

    init(
        descriptor: Int32,
        address: PeerAddress,
        tls: TLSSession?,
        rules: ConnectionRules,
        handshakeDeadline: Duration,
        environment: Environment
    ) {
        self.descriptor = descriptor
        self.address = address
        self.tls = tls
        self.rules = rules
        self.handshakeDeadline = handshakeDeadline
        self.environment = environment
        reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: environment.queue)
        writer = DispatchSource.makeWriteSource(fileDescriptor: descriptor, queue: environment.queue)
    }

    /// Since when the connection has waited for a request; nil if it does not.
    var idleSince: Duration? { rules.idleSince }

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

    private func readable() {
        // A few reads at a time, so that one fast sender does not keep the others waiting; what is left wakes
        // the source again.
        for _ in 0..<16 where !isClosed && rules.wantsInput {
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
        guard let tls else { return perform(rules.received(bytes, now: environment.now())) }
        let wasEstablished = tls.isEstablished
        do {
            let plain = try tls.open(bytes)
            write(tls.takeOutgoing())
            if !plain.isEmpty { perform(rules.received(plain, now: environment.now())) }
            if tls.hasEnded, !isClosed { perform(rules.receivedEnd(now: environment.now())) }
        } catch {
            if !wasEstablished { environment.metrics.refused(.handshake) }
            // The alert that says why.
            write(tls.takeOutgoing())
            close()
        }
    }

    private func writable() {
        guard !isClosed else { return }
        flush()
    }

    private func perform(_ actions: [ConnectionRules.Action]) {
        for action in actions where !isClosed {
            switch action {
            case .consider(let head):
                if let response = environment.consider(head) {
                    answer(response)
                } else {
                    perform(rules.proceed(now: environment.now()))
                }
            case .handle(let request):
                giveUp = environment.handle(request) { [weak self] response in self?.answer(response) }
            case .refuse(let error): answer(environment.refusal(error))
            case .send(let bytes): send(bytes)
            case .produce: produce()
            case .closeSending:
                if let tls {
                    tls.end()
                    write(tls.takeOutgoing())
                }
                // What does not fit on the wire yet would be lost by it.
                if outgoing.isEmpty { Socket.closeSending(descriptor) }
            case .close: close()
            }
        }
        guard !isClosed else { return }
        account()
        updateReading()
    }

    /// Tells the server how much is held; a body that would be too much is refused.
    private func account() {
        let change = rules.heldBytes + outgoing.count - heldBytes
        heldBytes += change
        guard change != 0, !environment.hold(change), change > 0 else { return }
        let error = RequestError(503, "the server holds as many bytes of requests as it may; try again in 1 s")
        let actions = rules.abandon(error, now: environment.now())
        guard !actions.isEmpty else { return }
        environment.metrics.refused(.bytes)
        perform(actions)
    }

    private func answer(_ response: Response) {
        guard !isClosed else {
            response.stream?.abandon()
            return
        }
        giveUp = nil
        stream = response.stream
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
                perform(rules.breakOff())
            }
        }
    }

    private func send(_ bytes: [UInt8]) {
        guard let tls else { return write(bytes) }
        do {
            try tls.seal(bytes)
            write(tls.takeOutgoing())
        } catch {
            close()
        }
    }

    private func write(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return }
        outgoing += bytes
        flush()
    }

    private func flush() {
        do {
            while outgoingStart < outgoing.count {
                let count = try Socket.send(descriptor, outgoing[outgoingStart...])
                if count == 0 { break }
                outgoingStart += count
                rules.sent(bytes: count)
            }
        } catch {
            return close()
        }
        let isDone = outgoingStart == outgoing.count
        if isDone {
            outgoing = []
            outgoingStart = 0
        }
        setWriting(!isDone)
        if isDone { perform(rules.sent(now: environment.now())) }
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
        if giveUp != nil || stream != nil { environment.metrics.abandoned() }
        giveUp?()
        giveUp = nil
        stream?.abandon()
        stream = nil
        _ = environment.hold(-heldBytes)
        // A suspended source cannot be cancelled to its end, nor freed.
        if !isReading { reader.resume() }
        if !isWriting { writer.resume() }
        reader.cancel()
        writer.cancel()
        environment.closed(self)
    }
}
