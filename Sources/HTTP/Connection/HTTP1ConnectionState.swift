/// The rules of one HTTP/1.1 connection as a value: bytes, answers and the passing of time go in, actions come out.
///
/// A shell with a socket performs them.
///
/// One request is handled at a time; pipelined ones wait in the buffer. Time is a `Duration` since any
/// fixed moment.
public struct HTTP1ConnectionState: Sendable {
    /// What the shell is to do, in order.
    public enum Action: Sendable {
        /// Decide by its head whether a request is served: ``proceed(now:)`` if it is, else ``respond(_:date:now:)``.
        case headReceived(RequestHead)
        /// Handle a request and give the answer to ``respond(_:date:now:)``.
        case handle(Request)
        /// Put bytes on the wire; ``sent(now:)`` when all are gone.
        case send([UInt8])
        /// Have the next piece of the answer's body made, for ``piece(_:now:)``.
        case pullBody
        /// Put the answer to a request that could not be read on the wire.
        case reject(RequestError)
        /// Say that nothing more will be sent, and go on reading: ``close`` follows.
        case closeSending
        /// Close the connection.
        case close
    }

    /// What the request decided of its answer.
    struct Answer: Sendable, Equatable {
        var keepAlive = false
        var isHead = false
        var isHTTP1_0 = false
    }

    /// An answer whose body is made while it is sent.
    struct StreamedAnswer: Sendable, Equatable {
        let closes: Bool
        let isChunked: Bool
        /// The request's body, of which the answer is made.
        let bodyBytes: Int
        /// When all must be on the wire, however steadily it moves.
        let end: Duration
        /// Whether a piece is being made, and none is on its way.
        var isProducing = false
    }

    enum Phase: Sendable, Equatable {
        case idle
        case readingHead
        case deciding(Answer, BodyFraming, expectsContinue: Bool)
        case readingBody(Answer, BodyFraming)
        case handling(Answer, bodyBytes: Int)
        case sending(thenClose: Bool)
        case streaming(StreamedAnswer)
        case lingering
        case closed
    }

    /// The answer to a head that was refused while its body, a small one, is still on its way.
    struct Refusal: Sendable {
        let response: Response
        let date: String
    }

    /// Bytes of the next requests that are read while one is handled, and of a body that nobody wants; more wait in the
    /// socket.
    static let readAhead = 65_536

    let deadlines: Deadlines
    var parser: RequestParser
    var phase = Phase.idle
    var isDraining = false
    var inputEnded = false
    var refusal: Refusal?
    /// When the phase began, or for a body the request.
    var start: Duration
    var sentBytes = 0
    /// The time to the next probe of a client that has sent its last byte.
    private var probeInterval = Duration.zero

    /// When ``expired(now:)`` is to be called next; nil while a request is handled.
    public internal(set) var deadline: Duration?

    /// The rules of a new connection.
    public init(limits: RequestLimits, deadlines: Deadlines, now: Duration) {
        self.deadlines = deadlines
        parser = RequestParser(limits: limits)
        start = now
        deadline = now + deadlines.idle
    }

    /// Whether more bytes are wanted now.
    ///
    /// While a request is handled some are, so that a connection that breaks is noticed.
    public var wantsInput: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody, .lingering: !inputEnded
        case .deciding, .handling, .streaming: !inputEnded && parser.bufferedBytes < Self.readAhead
        case .sending, .closed: false
        }
    }

    /// Since when the connection has waited for a request; nil if it does not.
    public var idleSince: Duration? { phase == .idle ? start : nil }

    /// The memory that requests occupy: what has arrived, not what is announced.
    public var heldBytes: Int {
        switch phase {
        case .handling(_, let bodyBytes): parser.allocatedBytes + bodyBytes
        case .streaming(let answer): parser.allocatedBytes + answer.bodyBytes
        default: parser.allocatedBytes
        }
    }

    /// Whether a request or an answer is being transferred: whether the peer decides how long its bytes are held.
    public var isTransferring: Bool {
        switch phase {
        case .readingHead, .readingBody, .sending: true
        case .streaming(let answer): !answer.isProducing
        case .idle, .deciding, .handling, .lingering, .closed: false
        }
    }

    /// Bytes arrived.
    public mutating func received(_ bytes: some Collection<UInt8>, now: Duration) -> [Action] {
        guard phase != .lingering, phase != .closed else { return [] }
        parser.append(bytes)
        switch phase {
        // What comes early waits its turn.
        case .handling, .sending, .streaming, .deciding: return []
        default: return advance(now)
        }
    }

    /// The peer has sent its last byte.
    ///
    /// A request cut short is never taken for whole. One that waits for its answer gets it: the peer may have
    /// closed one direction only.
    public mutating func receivedEnd(now: Duration) -> [Action] {
        inputEnded = true
        switch phase {
        case .idle, .lingering: return close()
        case .readingHead, .readingBody: return refuse(RequestError(400, "the request is cut short"), now)
        case .handling(let answer, _):
            if !answer.isHTTP1_0 {
                probeInterval = deadlines.firstProbe
                deadline = now + probeInterval
            }
            return []
        case .deciding, .sending, .streaming, .closed: return []
        }
    }

    /// The request whose head was considered is served.
    public mutating func proceed(now: Duration) -> [Action] {
        guard case .deciding(let answer, let framing, let expectsContinue) = phase else { return [] }
        phase = .readingBody(answer, framing)
        // Only before any of the body has come (RFC 9110, section 10.1.1).
        let mustContinue = expectsContinue && framing.hasBody && parser.bufferedBytes == 0
        return (mustContinue ? [.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8))] : []) + advance(now)
    }

    /// The body being read is not to be had after all.
    public mutating func cancel(_ error: RequestError, now: Duration) -> [Action] {
        guard case .readingBody = phase else { return [] }
        parser.fail(error)
        return refuse(error, now)
    }

    /// ``deadline`` has passed.
    public mutating func expired(now: Duration) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch phase {
        case .readingHead, .readingBody:
            return answerRefusal(closes: true, now) ?? refuse(RequestError(408, "the request took too long"), now)
        case .handling:
            // Whoever closed one direction takes an interim answer and ignores it (RFC 9110, section 15.2); the
            // system of one who is gone answers it by a reset, and the next one cannot be sent.
            probeInterval = min(probeInterval * 2, deadlines.probe)
            self.deadline = now + probeInterval
            return [.send(Array("HTTP/1.1 102 Processing\r\n\r\n".utf8))]
        case .idle, .deciding, .sending, .streaming, .lingering, .closed: return close()
        }
    }

    /// The server is shutting down: what was begun is finished, nothing new is started.
    public mutating func drain() -> [Action] {
        isDraining = true
        return phase == .idle ? close() : []
    }

    mutating func close() -> [Action] {
        guard phase != .closed else { return [] }
        phase = .closed
        deadline = nil
        return [.close]
    }

    private mutating func refuse(_ error: RequestError, _ now: Duration) -> [Action] {
        phase = .handling(Answer(isHead: parser.method == "HEAD"), bodyBytes: 0)
        deadline = nil
        refusal = nil
        return [.reject(error)]
    }

    mutating func advance(_ now: Duration) -> [Action] {
        do {
            let event = try parser.next()
            // Empty lines alone are no request (RFC 9112, section 2.2): the connection stays idle.
            if phase == .idle, event != nil || !parser.isIdle {
                phase = .readingHead
                start = now
            }
            if let event {
                switch event {
                case .head(let head, let framing):
                    let answer = Answer(
                        keepAlive: head.keepsAlive,
                        isHead: head.method == "HEAD",
                        isHTTP1_0: head.version == .http1_0
                    )
                    phase = .deciding(answer, framing, expectsContinue: head.expectsContinue)
                    return [.headReceived(head)]
                case .request(let request):
                    if let actions = answerRefusal(closes: false, now) { return actions }
                    guard case .readingBody(let answer, _) = phase else { return [] }
                    phase = .handling(answer, bodyBytes: request.body.count)
                    deadline = nil
                    return [.handle(request)]
                }
            }
        } catch {
            return refuse(error, now)
        }
        switch phase {
        case .readingHead: deadline = start + deadlines.head
        case .readingBody:
            if parser.bufferedBytes > Self.readAhead, let actions = answerRefusal(closes: true, now) { return actions }
            deadline = deadlines.end(of: start, allowance: deadlines.body, bytes: parser.bufferedBytes)
        default: break
        }
        return []
    }
}
