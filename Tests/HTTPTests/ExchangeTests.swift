import HTTP
import Testing

/// Requests whose body is read while they are handled, without a socket or a clock.
@Suite struct ExchangeTests {
    private struct Nothing: BodyStream {
        func next() async -> [UInt8]? { nil }
        func cancel() {}
    }

    private var state = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)

    private func texts(_ actions: [HTTP1ConnectionState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .headReceived: "head"
            case .handle: "handle"
            case .body(let bytes): "body \(String(decoding: bytes, as: UTF8.self))"
            case .bodyEnded(let error): "bodyEnded \(error?.status ?? 0)"
            case .send(let bytes): "send \(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\r\n" })"
            case .pullBody: "pull"
            case .reject(let error): "reject \(error.status)"
            case .closeSending: "closeSending"
            case .close: "close"
            }
        }
    }

    private mutating func receive(_ text: String, at second: Int = 0) -> [String] {
        texts(state.received(text.utf8, now: .seconds(second)))
    }

    private mutating func begin(_ text: String, at second: Int = 0) -> [String] {
        let actions = receive(text, at: second)
        #expect(actions == ["head"])
        return texts(state.proceedStreaming(now: .seconds(second)))
    }

    private mutating func respond(at second: Int = 0) -> [String] {
        let response = Response(200, contentType: "a/b", stream: Nothing())
        return texts(state.respond(response, date: "d", now: .seconds(second)))
            + texts(state.sent(now: .seconds(second)))
    }

    private mutating func piece(_ text: String?, at second: Int = 0) -> [String] {
        texts(state.piece(text.map { Array($0.utf8) }, now: .seconds(second)))
            + texts(state.sent(now: .seconds(second)))
    }

    private static let fixed = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\n"
    private static let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    private static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    @Test("A body is passed on as it arrives, and the response may begin before it ends")
    mutating func interleaved() {
        #expect(begin(Self.fixed + "ab") == ["body ab"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "pull"])
        #expect(receive("cd") == ["body cd"])
        #expect(piece("x") == ["send 1", "pull"])
        #expect(receive("ef" + Self.get) == ["body ef", "bodyEnded 0"])
        #expect(piece("y") == ["send 1", "pull"])
        // The connection stays open for the next request, which has arrived already.
        #expect(piece(nil) == ["send 0", "head"])
    }

    @Test("Chunks are passed on without their framing, in any split", arguments: 1...12)
    mutating func chunks(by size: Int) {
        var rest = Array("2;a=b\r\nab\r\n4\r\ncdef\r\n0\r\nTrailer: x\r\n\r\n".utf8)[...]
        var (body, ends) = ("", 0)
        _ = begin(Self.chunked)
        while !rest.isEmpty {
            for text in texts(state.received(rest.prefix(size), now: .zero)) {
                if text.hasPrefix("body ") { body += text.dropFirst(5) }
                ends += text == "bodyEnded 0" ? 1 : 0
            }
            rest = rest.dropFirst(size)
        }
        #expect(body == "abcdef" && ends == 1)
    }

    @Test("Chunks that arrive together are passed on together, also those before a malformed one")
    mutating func gathers() {
        _ = begin(Self.chunked)
        #expect(receive(String(repeating: "1\r\na\r\n", count: 500)) == ["body " + String(repeating: "a", count: 500)])
        #expect(receive("1\r\nb\r\n1\r\nc\r\nzz\r\n") == ["body bc", "bodyEnded 400"])
    }

    @Test("A streamed body may be larger than the limit; a length that is no number of bytes is still refused")
    mutating func large() {
        #expect(begin("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\nab") == ["body ab"])
        var other = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\nab"
        _ = other.received(head.utf8, now: .zero)
        #expect(texts(other.proceedStreaming(now: .zero)) == ["bodyEnded 413"])
    }

    @Test("A client that waits for 100 Continue gets it before its body is passed on")
    mutating func continues() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(begin(head) == ["send HTTP/1.1 100 Continue"])
        #expect(receive("ab") == ["body ab", "bodyEnded 0"])
    }

    @Test("A request without a body has one that ends at once")
    mutating func empty() {
        #expect(begin("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n") == ["bodyEnded 0"])
    }

    @Test(
        "A body that breaks off or is malformed ends with an error, and the connection closes after the response",
        arguments: [("", 400), ("zz\r\n", 400), ("2\r\nabX", 400)]
    )
    mutating func broken(_ rest: String, _ status: Int) {
        #expect(begin(Self.chunked + "1\r\na\r\n") == ["body a"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "pull"])
        let actions = rest.isEmpty ? texts(state.receivedEnd(now: .zero)) : receive(rest)
        #expect(actions.last == "bodyEnded \(status)")
        #expect(piece("x") == ["send 1", "pull"])
        let end = piece(nil)
        #expect(end == (rest.isEmpty ? ["send 0", "close"] : ["send 0", "closeSending"]))
    }

    @Test("An error before the response begins is answered, and the connection closes")
    mutating func brokenEarly() {
        #expect(begin(Self.chunked + "zz\r\n") == ["bodyEnded 400"])
        let response = texts(state.respond(Response(400), date: "d", now: .zero)) + texts(state.sent(now: .zero))
        #expect(response == ["send HTTP/1.1 400 Bad Request", "closeSending"])
    }

    @Test("A handler that answers without reading the body closes the connection, after reading on for a while")
    mutating func early() {
        _ = begin(Self.fixed + "ab")
        let response = texts(state.respond(Response(422), date: "d", now: .zero)) + texts(state.sent(now: .zero))
        #expect(response.last == "closeSending")
        #expect(receive("cd") == [] && state.wantsInput)
    }

    @Test("A response that ends before the body closes the connection")
    mutating func endsEarly() {
        _ = begin(Self.fixed + "ab")
        _ = respond()
        #expect(piece(nil) == ["send 0", "closeSending"])
    }

    @Test("While the handler has enough, nothing is read; what has arrived is passed on later")
    mutating func pauses() {
        #expect(begin(Self.fixed + "ab") == ["body ab"] && state.wantsInput)
        state.pauseBody(now: .zero)
        #expect(!state.wantsInput && receive("cd") == [])
        #expect(texts(state.resumeBody(now: .seconds(9))) == ["body cd"] && state.wantsInput)
        state.pauseBody(now: .seconds(9))
        _ = state.received("e".utf8, now: .seconds(9))
        // The end arrives while reading is paused: the bytes before it are not lost.
        #expect(texts(state.receivedEnd(now: .seconds(9))) == [])
        #expect(texts(state.resumeBody(now: .seconds(9))) == ["body e", "bodyEnded 400"])
    }

    @Test("A body that stalls times out, however long it has been arriving")
    mutating func stalls() {
        _ = begin(Self.chunked)
        // Longer than any request that is read as a whole may take.
        for second in 1...2000 {
            #expect(receive("2000\r\n\(String(repeating: "a", count: 8192))\r\n", at: second).count == 1)
        }
        let deadline = state.deadline ?? .zero
        #expect(deadline > .seconds(2010) && deadline < .seconds(2300))
        #expect(texts(state.expired(now: deadline)) == ["bodyEnded 408"])
    }

    @Test("Each piece of the response gives the client more time for its body")
    mutating func waitsForResults() {
        _ = begin(Self.fixed + "a")
        _ = respond()
        for second in stride(from: 15, to: 300, by: 15) { _ = piece("x", at: second) }
        #expect(state.deadline.map { $0 > .seconds(300) } == true)
    }

    @Test("While the body arrives, a client need not read; when the handler has enough, it must")
    mutating func reads() {
        _ = begin(Self.fixed + "a")
        _ = texts(state.respond(Response(200, contentType: "a/b", stream: Nothing()), date: "d", now: .zero))
        // The response is not sent, but the body arrives.
        _ = receive("b", at: 15)
        #expect(state.deadline.map { $0 >= .seconds(20) } == true)
        state.pauseBody(now: .seconds(16))
        #expect(state.deadline == .seconds(36))
        #expect(texts(state.expired(now: .seconds(36))) == ["close"])
    }

    @Test("A handler that is busy with a paused body has no deadline")
    mutating func busy() {
        _ = begin(Self.fixed + "a")
        state.pauseBody(now: .zero)
        #expect(state.deadline == nil)
        _ = respond()
        #expect(state.deadline == nil)
    }

    @Test("When memory is short, the body ends with an error")
    mutating func evicted() {
        _ = begin(Self.fixed + "a")
        #expect(texts(state.cancel(RequestError(503, "full"), now: .zero)) == ["bodyEnded 503"])
    }

    @Test("HTTP/1.0 gets its response without chunks, and the connection closes")
    mutating func http1_0() {
        _ = begin("POST / HTTP/1.0\r\nContent-Length: 6\r\n\r\nab")
        _ = respond()
        #expect(piece("x") == ["send x", "pull"])
        #expect(receive("cdef") == ["body cdef", "bodyEnded 0"])
        #expect(piece(nil) == ["closeSending"])
    }

    @Test("A connection that is shut down while a response is streamed closes after it")
    mutating func drains() {
        _ = begin(Self.fixed + "abcdef")
        _ = respond()
        #expect(texts(state.drain()) == [])
        #expect(piece("x") == ["send 1", "pull"])
        #expect(piece(nil) == ["send 0", "close"])
    }
}
