/// Requests whose body is read while they are handled, and whose response may begin before the body has ended.
///
/// Many clients send the whole body before they read. So while the body arrives, only its own transfer rate is limited,
/// and not that of the response. Once the handler has enough of the body, the client must read the response.
extension HTTP1ConnectionState {
    /// Bytes after which a new stretch of reading begins, so that the transfer rate is that of recent time.
    private static let stretchBytes = 1 << 16

    /// Proceeds with the request whose head was decided on: its body is passed on as it arrives, without a limit on its
    /// size.
    ///
    /// The caller starts the handler and passes its response to ``respond(_:date:now:)``.
    public mutating func proceedStreaming(now: Duration) -> [Action] {
        guard case .deciding(let answer, let framing, let expectsContinue) = phase else { return [] }
        parser.streamBody()
        let mustContinue = expectsContinue && framing.hasBody && parser.bufferedBytes == 0
        phase = .exchanging(Exchange(answer: answer, readingStart: now))
        let actions = advanceBody(now)
        return (mustContinue ? [.send(Self.continuation)] : []) + actions
    }

    /// Stops reading the body until ``resumeBody(now:)``.
    public mutating func pauseBody(now: Duration) {
        guard case .exchanging(var exchange) = phase, !exchange.isPaused else { return }
        exchange.isPaused = true
        phase = .exchanging(exchange)
        (start, sentBytes) = (now, 0)
        updateExchangeDeadline(exchange)
    }

    /// Continues to read the body after ``pauseBody(now:)``.
    public mutating func resumeBody(now: Duration) -> [Action] {
        guard case .exchanging(var exchange) = phase, exchange.isPaused else { return [] }
        exchange.isPaused = false
        (exchange.readingStart, exchange.readBytes) = (now, 0)
        phase = .exchanging(exchange)
        return advanceBody(now)
    }

    /// Passes on what has arrived of the body.
    mutating func advanceBody(_ now: Duration) -> [Action] {
        guard case .exchanging(var exchange) = phase else { return [] }
        var actions: [Action] = []
        do {
            while let event = try parser.next() {
                switch event {
                case .bytes(let bytes):
                    exchange.readBytes += bytes.count
                    actions.append(.body(bytes))
                case .request:
                    end(exchange, now)
                    return actions + [.bodyEnded(nil)]
                case .head: preconditionFailure("a head follows an incomplete body")
                }
            }
        } catch {
            return actions + failBody(error, now)
        }
        if inputEnded { return actions + failBody(Self.truncated, now) }
        if exchange.readBytes > Self.stretchBytes { (exchange.readingStart, exchange.readBytes) = (now, 0) }
        phase = .exchanging(exchange)
        updateExchangeDeadline(exchange)
        return actions
    }

    /// Ends the body with an error; the handler still answers, or ends its response, and the connection is closed after it.
    mutating func failBody(_ error: RequestError, _ now: Duration) -> [Action] {
        guard case .exchanging(var exchange) = phase else { return [] }
        parser.fail(error)
        exchange.answer.keepAlive = false
        exchange.response?.closes = true
        end(exchange, now)
        return [.bodyEnded(error)]
    }

    /// Continues with the response alone: nothing more of the body follows.
    private mutating func end(_ exchange: Exchange, _ now: Duration) {
        (start, sentBytes) = (now, 0)
        guard var response = exchange.response else {
            phase = .handling(exchange.answer, bodyBytes: 0)
            deadline = nil
            return
        }
        response.end = now + deadlines.request
        phase = .streaming(response)
        deadline = response.isProducing ? nil : deadlines.end(of: now, allowance: deadlines.write, bytes: 0)
    }

    /// Sets the deadline of the body, or while reading is paused, that of what is being sent.
    mutating func updateExchangeDeadline(_ exchange: Exchange) {
        if !exchange.isPaused {
            deadline = deadlines.end(of: exchange.readingStart, allowance: deadlines.body, bytes: exchange.readBytes)
        } else if let response = exchange.response, !response.isProducing {
            deadline = deadlines.end(of: start, allowance: deadlines.write, bytes: sentBytes)
        } else {
            deadline = nil
        }
    }
}
