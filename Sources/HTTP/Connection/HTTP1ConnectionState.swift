/// State machine of one HTTP/1.1 connection.
///
/// It is a value: bytes, responses and the current time go in, actions come out. The caller, which owns the socket,
/// performs them.
///
/// One request is handled at a time; pipelined requests wait in the buffer. Time is a `Duration` since any
/// fixed moment.
public struct HTTP1ConnectionState: Sendable {
    /// An action for the caller to perform; actions are performed in order.
    public enum Action: Sendable {
        /// Decide from the head whether to serve a request: call ``proceed(now:)`` or ``proceedStreaming(now:)`` to
        /// serve it, else ``respond(_:date:now:)``.
        case headReceived(RequestHead)
        /// Handle a request and pass the response to ``respond(_:date:now:)``.
        case handle(Request)
        /// Pass bytes of a streamed body to its handler; call ``pauseBody(now:)`` if it has enough.
        case body([UInt8])
        /// Tell the handler that its streamed body is complete, or why the rest of it cannot be read.
        case bodyEnded(RequestError?)
        /// Send bytes; call ``sent(now:)`` when all of them have been sent.
        case send([UInt8])
        /// Produce the next piece of the response body and pass it to ``piece(_:now:)``.
        case pullBody
        /// Send the response to a request that could not be parsed.
        case reject(RequestError)
        /// Close the sending direction and keep reading; ``close`` follows.
        case closeSending
        /// Close the connection.
        case close
    }

    /// Properties of the response that follow from the request.
    struct Answer: Sendable, Equatable {
        var keepAlive = false
        var isHead = false
        var isHTTP1_0 = false
    }

    /// A response whose body is produced while it is sent.
    struct StreamedResponse: Sendable, Equatable {
        var closes: Bool
        let isChunked: Bool
        /// Bytes of the request body, which is held while the response is produced.
        let bodyBytes: Int
        /// When the whole response must have been sent, regardless of the transfer rate.
        var end: Duration
        /// Whether a piece is being produced and none is being sent.
        var isProducing = false
    }

    /// A request whose body is still arriving while it is handled.
    struct Exchange: Sendable, Equatable {
        var answer: Answer
        /// The response, once it has begun.
        var response: StreamedResponse?
        /// Whether the handler has enough of the body for now.
        var isPaused = false
        /// When the current stretch of uninterrupted reading began, and the bytes read in it.
        var readingStart: Duration
        var readBytes = 0
    }

    enum Phase: Sendable, Equatable {
        case idle
        case readingHead
        case deciding(Answer, BodyFraming, expectsContinue: Bool)
        case readingBody(Answer, BodyFraming)
        case handling(Answer, bodyBytes: Int)
        case exchanging(Exchange)
        case sending(thenClose: Bool)
        case streaming(StreamedResponse)
        case lingering
        case closed
    }

    /// The response to a rejected head whose small body is still arriving.
    struct Rejection: Sendable {
        let response: Response
        let date: String
        /// When the response is sent without waiting for the body.
        let end: Duration
    }

    /// Maximum bytes of following requests read while one is handled, and of an unwanted body.
    ///
    /// Further bytes wait in the socket.
    static let readAhead = 65_536

    let deadlines: Deadlines
    var parser: RequestParser
    var phase = Phase.idle
    var isDraining = false
    var inputEnded = false
    var rejection: Rejection?
    /// When the phase began; for a body, when the request began.
    var start: Duration
    var sentBytes = 0
    /// Time until the next probe of a client that has closed its sending direction.
    private var probeInterval = Duration.zero

    /// When to call ``expired(now:)``; nil while a request is handled.
    public internal(set) var deadline: Duration?

    /// Creates the state of a new connection.
    public init(limits: RequestLimits, deadlines: Deadlines, now: Duration) {
        self.deadlines = deadlines
        parser = RequestParser(limits: limits)
        start = now
        deadline = now + deadlines.idle
    }

    /// Whether more bytes are wanted now.
    ///
    /// A limited number of bytes is read while a request is handled, so that a broken connection is noticed.
    public var wantsInput: Bool {
        switch phase {
        case .idle, .readingHead, .readingBody, .lingering: !inputEnded
        case .exchanging(let exchange): !inputEnded && !exchange.isPaused
        case .deciding, .handling, .streaming: !inputEnded && parser.bufferedBytes < Self.readAhead
        case .sending, .closed: false
        }
    }

    /// When the connection began to wait for a request; nil if it is not waiting.
    public var idleSince: Duration? { phase == .idle ? start : nil }

    /// Bytes of memory that requests occupy; counts received bytes, not announced ones.
    public var heldBytes: Int {
        switch phase {
        case .handling(_, let bodyBytes): parser.allocatedBytes + bodyBytes
        case .streaming(let answer): parser.allocatedBytes + answer.bodyBytes
        default: parser.allocatedBytes
        }
    }

    /// Whether a request or a response is being transferred, so that the peer controls how long its bytes are held.
    public var isTransferring: Bool {
        switch phase {
        case .readingHead, .readingBody, .sending: true
        case .streaming(let answer): !answer.isProducing
        case .exchanging(let exchange): !exchange.isPaused || exchange.response.map { !$0.isProducing } ?? false
        case .idle, .deciding, .handling, .lingering, .closed: false
        }
    }

    /// Handles received bytes.
    public mutating func received(_ bytes: some Collection<UInt8>, now: Duration) -> [Action] {
        guard phase != .lingering, phase != .closed else { return [] }
        parser.append(bytes)
        switch phase {
        // Early bytes wait in the buffer.
        case .handling, .sending, .streaming, .deciding: return []
        case .exchanging(let exchange): return exchange.isPaused ? [] : advanceBody(now)
        default: return advance(now)
        }
    }

    /// Handles the end of input: the peer has closed its sending direction.
    ///
    /// A truncated request is rejected, never handled. A request that is already being handled still gets its
    /// response: the peer may have closed only one direction.
    public mutating func receivedEnd(now: Duration) -> [Action] {
        inputEnded = true
        switch phase {
        case .idle, .lingering: return close()
        case .readingHead, .readingBody: return reject(Self.truncated, now)
        // The bytes that have arrived are still read.
        case .exchanging(let exchange): return exchange.isPaused ? [] : failBody(Self.truncated, now)
        case .handling(let answer, _):
            if !answer.isHTTP1_0 {
                probeInterval = deadlines.firstProbe
                deadline = now + probeInterval
            }
            return []
        case .deciding, .sending, .streaming, .closed: return []
        }
    }

    /// Proceeds with the request whose head was decided on.
    public mutating func proceed(now: Duration) -> [Action] {
        guard case .deciding(let answer, let framing, let expectsContinue) = phase else { return [] }
        phase = .readingBody(answer, framing)
        // Only if no part of the body has arrived yet (RFC 9110, section 10.1.1).
        let mayContinue = expectsContinue && framing.hasBody && parser.bufferedBytes == 0
        let actions = advance(now)
        // A body that is too large is refused instead.
        guard mayContinue, case .readingBody = phase else { return actions }
        return [.send(Self.continuation)] + actions
    }

    static let continuation = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)
    static let late = RequestError(408, "the request took too long")
    static let truncated = RequestError(400, "the request is truncated")

    /// Refuses the request whose body is being read.
    public mutating func cancel(_ error: RequestError, now: Duration) -> [Action] {
        switch phase {
        case .readingBody:
            parser.fail(error)
            return reject(error, now)
        case .exchanging: return failBody(error, now)
        default: return []
        }
    }

    /// Handles an expired ``deadline``.
    public mutating func expired(now: Duration) -> [Action] {
        guard let deadline, now >= deadline else { return [] }
        switch phase {
        case .readingHead, .readingBody:
            return answerRejected(closes: true, now) ?? reject(Self.late, now)
        case .exchanging(let exchange):
            // While reading is paused, the deadline is that of the response.
            return exchange.isPaused ? close() : failBody(Self.late, now)
        case .handling:
            // A client that closed only its sending direction ignores an interim response (RFC 9110, section 15.2).
            // If the client has disconnected, its system replies with a reset, and the next send fails.
            probeInterval = min(probeInterval * 2, deadlines.probe)
            self.deadline = now + probeInterval
            return [.send(Array("HTTP/1.1 102 Processing\r\n\r\n".utf8))]
        case .idle, .deciding, .sending, .streaming, .lingering, .closed: return close()
        }
    }

    /// Shuts down: requests in progress are finished, new ones are not started.
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

    private mutating func reject(_ error: RequestError, _ now: Duration) -> [Action] {
        phase = .handling(Answer(isHead: parser.method == "HEAD"), bodyBytes: 0)
        deadline = nil
        rejection = nil
        return [.reject(error)]
    }

    mutating func advance(_ now: Duration) -> [Action] {
        do {
            let event = try parser.next()
            // Empty lines alone do not start a request (RFC 9112, section 2.2): the connection stays idle.
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
                    if let actions = answerRejected(closes: false, now) { return actions }
                    guard case .readingBody(let answer, _) = phase else { return [] }
                    phase = .handling(answer, bodyBytes: request.body.count)
                    deadline = nil
                    return [.handle(request)]
                case .bytes: preconditionFailure("a body is streamed that is to be read as a whole")
                }
            }
        } catch {
            return reject(error, now)
        }
        switch phase {
        case .readingHead: deadline = start + deadlines.head
        case .readingBody:
            if parser.bufferedBytes > Self.readAhead, let actions = answerRejected(closes: true, now) { return actions }
            let end = deadlines.end(of: start, allowance: deadlines.body, bytes: parser.bufferedBytes)
            deadline = min(end, rejection?.end ?? end)
        default: break
        }
        return []
    }
}
