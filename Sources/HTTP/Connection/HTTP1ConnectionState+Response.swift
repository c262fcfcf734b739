/// Sending of responses, as a whole or streamed in pieces.
extension HTTP1ConnectionState {
    /// Sends the response to the request being handled, or to a head for which a decision is pending.
    public mutating func respond(_ response: Response, date: String, now: Duration) -> [Action] {
        var answer: Answer
        var bodyBytes = 0
        switch phase {
        case .handling(let given, let bytes): (answer, bodyBytes) = (given, bytes)
        case .exchanging(var exchange):
            if response.stream != nil { return beginResponse(response, &exchange, date: date, now: now) }
            answer = exchange.answer
            // The rest of the body is not read, so the next request could not be found.
            answer.keepAlive = false
        case .deciding(let given, let framing, let expectsContinue):
            if framing.hasBody, !expectsContinue, framing.announcedBytes <= Self.readAhead {
                // A small unwanted body is read, to find the next request behind it. It must be valid.
                rejection = Rejection(response: response, date: date, end: now + deadlines.unwantedBody)
                phase = .readingBody(given, framing)
                return advance(now)
            }
            answer = given
            answer.keepAlive = answer.keepAlive && !framing.hasBody
            if !framing.hasBody { _ = try? parser.next() }
        default: return []
        }
        // A peer that has closed its sending direction may still wait for responses to earlier requests.
        var stays = answer.keepAlive && !isDraining && !(inputEnded && parser.isIdle)
        if response.stream != nil, !answer.isHead {
            stays = stays && !answer.isHTTP1_0
            let end = now + deadlines.request
            phase = .streaming(
                StreamedResponse(closes: !stays, isChunked: !answer.isHTTP1_0, bodyBytes: bodyBytes, end: end)
            )
        } else {
            phase = .sending(thenClose: !stays)
        }
        (start, sentBytes) = (now, 0)
        deadline = deadlines.end(of: start, allowance: deadlines.write, bytes: 0)
        let bytes = response.serialized(
            keepAlive: stays,
            isHead: answer.isHead,
            isHTTP1_0: answer.isHTTP1_0,
            date: date
        )
        return [.send(bytes)]
    }

    /// Begins a streamed response while the body of the request is still arriving.
    private mutating func beginResponse(
        _ response: Response,
        _ exchange: inout Exchange,
        date: String,
        now: Duration
    ) -> [Action] {
        let answer = exchange.answer
        let stays = answer.keepAlive && !isDraining && !answer.isHTTP1_0
        exchange.response = StreamedResponse(
            closes: !stays,
            isChunked: !answer.isHTTP1_0,
            bodyBytes: 0,
            end: now + deadlines.request
        )
        phase = .exchanging(exchange)
        (start, sentBytes) = (now, 0)
        updateExchangeDeadline(exchange)
        return [
            .send(response.serialized(keepAlive: stays, isHead: false, isHTTP1_0: answer.isHTTP1_0, date: date))
        ]
    }

    /// Sends the response to a rejected head, if there is one; with `closes`, the rest of its body is not read.
    mutating func answerRejected(closes: Bool, _ now: Duration) -> [Action]? {
        guard let rejection, case .readingBody(var answer, _) = phase else { return nil }
        self.rejection = nil
        answer.keepAlive = answer.keepAlive && !closes
        phase = .handling(answer, bodyBytes: 0)
        return respond(rejection.response, date: rejection.date, now: now)
    }

    /// Sends the next piece of a response body; nil ends the body.
    public mutating func piece(_ bytes: [UInt8]?, now: Duration) -> [Action] {
        guard var response = streamedResponse, response.isProducing else { return [] }
        (start, sentBytes) = (now, 0)
        guard let bytes else {
            // If the body of the request has not ended, the next request could not be found.
            let isComplete = if case .streaming = phase { true } else { false }
            phase = .sending(thenClose: response.closes || !isComplete)
            deadline = deadlines.end(of: start, allowance: deadlines.write, bytes: 0)
            return response.isChunked ? [.send(Array("0\r\n\r\n".utf8))] : sent(now: now)
        }
        response.isProducing = false
        if case .exchanging(var exchange) = phase {
            exchange.response = response
            // A client may wait for results before it sends more.
            (exchange.readingStart, exchange.readBytes) = (now, 0)
            phase = .exchanging(exchange)
            updateExchangeDeadline(exchange)
        } else {
            phase = .streaming(response)
            deadline = min(response.end, deadlines.end(of: start, allowance: deadlines.write, bytes: 0))
        }
        guard response.isChunked else { return [.send(bytes)] }
        return [.send(Array("\(String(bytes.count, radix: 16))\r\n".utf8) + bytes + [0x0D, 0x0A])]
    }

    /// The response whose body is being produced.
    private var streamedResponse: StreamedResponse? {
        switch phase {
        case .streaming(let response): response
        case .exchanging(let exchange): exchange.response
        default: nil
        }
    }

    /// Closes the connection before the end of the body, because the rest of the body cannot be produced.
    public mutating func abortBody() -> [Action] {
        streamedResponse == nil ? [] : close()
    }

    /// Records that some bytes of a response have been sent.
    public mutating func sent(bytes: Int) {
        sentBytes += bytes
        let end = deadlines.end(of: start, allowance: deadlines.write, bytes: sentBytes)
        switch phase {
        case .sending: deadline = end
        case .streaming(let answer) where !answer.isProducing: deadline = min(answer.end, end)
        case .exchanging(let exchange): updateExchangeDeadline(exchange)
        default: break
        }
    }

    /// Records that all bytes of the last ``Action/send(_:)`` of a response have been sent.
    public mutating func sent(now: Duration) -> [Action] {
        if case .streaming(var answer) = phase, !answer.isProducing {
            answer.isProducing = true
            phase = .streaming(answer)
            deadline = nil
            return [.pullBody]
        }
        if case .exchanging(var exchange) = phase, exchange.response?.isProducing == false {
            exchange.response?.isProducing = true
            phase = .exchanging(exchange)
            updateExchangeDeadline(exchange)
            return [.pullBody]
        }
        guard case .sending(let thenClose) = phase else { return [] }
        if thenClose {
            if inputEnded { return close() }
            phase = .lingering
            deadline = now + deadlines.linger
            return [.closeSending]
        }
        phase = .idle
        start = now
        deadline = now + deadlines.idle
        // The response was begun before the shutdown.
        if isDraining, parser.isIdle { return close() }
        let actions = advance(now)
        return actions.isEmpty && inputEnded ? receivedEnd(now: now) : actions
    }
}
