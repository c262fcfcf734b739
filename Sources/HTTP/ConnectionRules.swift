/// The rules of one HTTP/1.1 connection as a value: bytes, answers and the passing of time go in, actions come out.
///
/// A shell with a socket performs them.
///
/// One request is handled at a time; pipelined ones wait in the buffer. Time is a `Duration` since any
/// fixed moment.
public struct ConnectionRules: Sendable {
    /// How long each phase of a connection may take.
    public struct Deadlines: Sendable, Hashable {
        /// From the first byte of a head to its end.
        public var head = Duration.seconds(10)
        /// From the end of a head to the end of its body.
        public var body = Duration.seconds(60)
        /// Between two requests.
        public var idle = Duration.seconds(75)
        /// Until an answer is taken by its reader.
        public var write = Duration.seconds(60)
        /// After an answer that closes, for bytes still on their way: closing at once would reset the
        /// connection, and the reader would lose the answer.
        public var linger = Duration.seconds(2)

        /// The defaults.
        public init() {}
    }

    /// What the shell is to do, in order.
    public enum Action: Sendable {
        /// Handle a request and give the answer to ``respond(_:now:)``.
        case handle(Request)
        /// Put bytes on the wire; ``sent(now:)`` when all are gone.
        case send([UInt8])
        /// Put the answer to a request that could not be read on the wire.
        case refuse(RequestError)
        /// Say that nothing more will be sent, and go on reading: ``close`` follows.
        case closeSending
        /// Close the connection.
        case close
    }

    /// What the request decided of its answer.
    private struct Answer: Sendable, Equatable {
        var keepAlive = false
        var isHead = false
        var isOneZero = false
    }

    private enum Phase: Sendable, Equatable {
        case idle
        case readingHead
        case readingBody
        case handling(Answer)
        case sending(thenClose: Bool)
        case lingering
        case closed
    }

    private let deadlines: Deadlines
    private var parser: RequestParser
    private var phase = Phase.idle
    private var isDraining = false
    private var inputEnded = false

    /// When ``expired(now:)`` is to be called next; nil while a request is handled.
    public private(set) var deadline: Duration?

    /// The rules of a new connection.
    public init(limits: RequestLimits, deadlines: Deadlines, now: Duration) {
        self.deadlines = deadlines
        parser = RequestParser(limits: limits)
        deadline = now + deadlines.idle
    }

    /// Whether more bytes are wanted now; while a request is handled or an answer sent they wait in the socket.
    public var wantsInput: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody, .lingering: !inputEnded
        case .handling, .sending, .closed: false
        }
    }

    /// Bytes arrived.
    public mutating func received(_ bytes: some Collection<UInt8>, now: Duration) -> [Action] {
        guard phase != .lingering, phase != .closed else { return [] }
        parser.append(bytes)
        return advance(now)
    }

    /// The peer has sent its last byte.
    ///
    /// A request cut short is never taken for whole.
    public mutating func receivedEnd(now: Duration) -> [Action] {
        inputEnded = true
        switch phase {
        case .idle, .lingering: return close()
        case .readingHead, .readingBody: return refuse(RequestError(400, "the request is cut short"), now)
        case .handling, .sending, .closed: return []
        }
    }

    /// The answer to the request being handled.
    public mutating func respond(_ response: Response, date: String, now: Duration) -> [Action] {
        guard case .handling(let answer) = phase else { return [] }
        // After its last byte a peer may still wait for answers to what it sent before.
        let stays = answer.keepAlive && !isDraining && !(inputEnded && parser.isIdle)
        phase = .sending(thenClose: !stays)
        deadline = now + deadlines.write
        let bytes = response.serialized(
            keepAlive: stays,
            isHead: answer.isHead,
            isOneZero: answer.isOneZero,
            date: date
        )
        return [.send(bytes)]
    }

    /// All bytes of the last ``Action/send(_:)`` of an answer are on the wire.
    public mutating func sent(now: Duration) -> [Action] {
        guard case .sending(let thenClose) = phase else { return [] }
        if thenClose {
            if inputEnded { return close() }
            phase = .lingering
            deadline = now + deadlines.linger
            return [.closeSending]
        }
        phase = .idle
        deadline = now + deadlines.idle
        let actions = advance(now)
        return actions.isEmpty && inputEnded ? receivedEnd(now: now) : actions
    }

    /// ``deadline`` has passed.
    public mutating func expired(now: Duration) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch phase {
        case .readingHead, .readingBody: return refuse(RequestError(408, "the request took too long"), now)
        case .idle, .handling, .sending, .lingering, .closed: return close()
        }
    }

    /// The server is shutting down: what was begun is finished, nothing new is started.
    public mutating func drain() -> [Action] {
        isDraining = true
        return phase == .idle ? close() : []
    }

    private mutating func close() -> [Action] {
        guard phase != .closed else { return [] }
        phase = .closed
        deadline = nil
        return [.close]
    }

    private mutating func refuse(_ error: RequestError, _ now: Duration) -> [Action] {
        phase = .handling(Answer(isHead: parser.method == "HEAD"))
        deadline = nil
        return [.refuse(error)]
    }

    private mutating func advance(_ now: Duration) -> [Action] {
        var actions: [Action] = []
        do {
            while let event = try parser.next() {
                switch event {
                case .head(let head):
                    phase = .readingBody
                    deadline = now + deadlines.body
                    // Only before any of the body has come (RFC 9110, section 10.1.1).
                    if head.expectsContinue, parser.bufferedBytes == 0 {
                        actions.append(.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)))
                    }
                case .request(let request):
                    let head = request.head
                    phase = .handling(
                        Answer(
                            keepAlive: head.keepsAlive,
                            isHead: head.method == "HEAD",
                            isOneZero: head.version == .oneZero
                        )
                    )
                    deadline = nil
                    return actions + [.handle(request)]
                }
            }
        } catch {
            return actions + refuse(error, now)
        }
        if phase == .idle, !parser.isIdle {
            phase = .readingHead
            deadline = now + deadlines.head
        }
        return actions
    }
}
