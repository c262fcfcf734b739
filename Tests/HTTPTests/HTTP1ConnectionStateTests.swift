import HTTP
import Testing

/// The connection state machine, without a socket or a clock.
@Suite struct HTTP1ConnectionStateTests {
    private var state = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// Short descriptions of the actions.
    private func descriptions(_ actions: [HTTP1ConnectionState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .headReceived(let head): "headReceived \(head.path)"
            case .handle(let request): "handle \(request.head.path)"
            case .send(let bytes): "send \(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\r\n" })"
            case .body(let bytes): "body \(bytes.count)"
            case .bodyEnded(let error): "bodyEnded \(error?.status ?? 0)"
            case .pullBody: "pullBody"
            case .reject(let error): "reject \(error.status)"
            case .closeSending: "closeSending"
            case .close: "close"
            }
        }
    }

    /// The same, for a caller that accepts every head.
    private func served(_ actions: [HTTP1ConnectionState.Action], _ state: inout HTTP1ConnectionState, at second: Int)
        -> [String]
    {
        guard case .headReceived = actions.last else { return descriptions(actions) }
        return descriptions(actions.dropLast()) + served(state.proceed(now: .seconds(second)), &state, at: second)
    }

    private mutating func receive(_ text: String, at second: Int = 0) -> [String] {
        served(state.received(text.utf8, now: .seconds(second)), &state, at: second)
    }

    private mutating func respond(at second: Int = 0) -> [String] {
        descriptions(state.respond(Response(200, body: [1]), date: "d", now: .seconds(second)))
            + served(state.sent(now: .seconds(second)), &state, at: second)
    }

    @Test("While a request is handled, input is buffered up to a limit")
    mutating func readAhead() {
        #expect(receive(get) == ["handle /"])
        // Reading continues so that a broken connection is noticed; early input is buffered up to a limit.
        #expect(state.wantsInput)
        #expect(state.received(Array(repeating: 65, count: 65_536), now: .zero).isEmpty)
        #expect(!state.wantsInput)
    }

    @Test("A connection stays open after a response")
    mutating func keepAlive() {
        #expect(receive(get) == ["handle /"])
        #expect(respond() == ["send HTTP/1.1 200 OK"])
        #expect(state.wantsInput)
        #expect(receive(get) == ["handle /"])
    }

    @Test("Pipelined requests are handled one at a time, in order")
    mutating func pipelining() {
        #expect(receive(get + get.replacing("/ ", with: "/2 ")) == ["handle /"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "handle /2"])
    }

    @Test(
        "After a response that closes the connection, remaining input is discarded until the client closes",
        arguments: ["1.0\r\n", "1.1\r\nConnection: close\r\n"]
    )
    mutating func closing(_ version: String) {
        #expect(receive("GET / HTTP/\(version)Host: a\r\n\r\n") == ["handle /"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "closeSending"])
        #expect(receive("more") == [])
        #expect(descriptions(state.receivedEnd(now: .zero)) == ["close"])
    }

    @Test("An invalid request gets a response, then the connection closes")
    mutating func invalidRequest() {
        #expect(receive("BAD\r\n\r\n") == ["reject 400"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "closeSending"])
        #expect(descriptions(state.expired(now: .seconds(10))) == ["close"])
    }

    @Test("A body that is too large is rejected before it is sent")
    mutating func tooLarge() {
        #expect(
            receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n") == [
                "reject 413"
            ]
        )
    }

    @Test("A client that waits for 100 Continue gets it")
    mutating func continues() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(receive(head) == ["send HTTP/1.1 100 Continue"])
        #expect(descriptions(state.sent(now: .zero)) == [])
        #expect(receive("ab") == ["handle /"])
    }

    @Test("A client that sent its body at once gets no 100 Continue")
    mutating func noContinue() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab"
        #expect(receive(head) == ["handle /"])
    }

    @Test("A request truncated by the end of the connection is rejected")
    mutating func truncated() {
        #expect(receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel") == [])
        #expect(descriptions(state.receivedEnd(now: .zero)) == ["reject 400"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "close"])
    }

    @Test("A half-closed client still gets its responses")
    mutating func halfClosed() {
        #expect(receive(get + get) == ["handle /"])
        #expect(descriptions(state.receivedEnd(now: .zero)) == [])
        #expect(respond() == ["send HTTP/1.1 200 OK", "handle /"])
        #expect(respond() == ["send HTTP/1.1 200 OK", "close"])
    }

    private static let post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999\r\n\r\n"

    @Test("Slow heads and bodies get 408 and an idle connection is closed, each at its deadline")
    mutating func deadlines() {
        #expect(state.deadline == .seconds(75))
        #expect(receive("GET", at: 5) == [])
        // The first byte starts the clock; further bytes do not extend it.
        #expect(receive(" / HTTP", at: 9) == [])
        #expect(state.deadline == .seconds(15))
        #expect(descriptions(state.expired(now: .seconds(14))) == [])
        #expect(descriptions(state.expired(now: .seconds(15))) == ["reject 408"])
        var idle = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        #expect(descriptions(idle.expired(now: .seconds(75))) == ["close"])
    }

    @Test("The body deadline grows with the bytes received, up to a maximum")
    mutating func bodyDeadline() {
        #expect(receive(Self.post, at: 1) == [])
        #expect(state.deadline == .seconds(21))
        #expect(receive(String(repeating: "a", count: 40_960), at: 20) == [])
        #expect(state.deadline == .seconds(31))
        #expect(receive(String(repeating: "a", count: 900_000), at: 30) == [])
        #expect((state.deadline ?? .zero) > .seconds(250))
        #expect(descriptions(state.expired(now: .seconds(301))) == ["reject 408"])
    }

    @Test("One byte per second barely extends the body deadline")
    mutating func trickle() {
        #expect(receive(Self.post) == [])
        for second in 1..<20 {
            #expect(receive("a", at: second) == [])
            #expect((state.deadline ?? .zero) < .seconds(21))
        }
    }

    @Test("A slow reader gets more time, and a reader that stops is disconnected")
    mutating func slowReader() {
        _ = receive(get)
        _ = state.respond(Response(200), date: "d", now: .seconds(1))
        state.sent(bytes: 4096 * 5)
        #expect(descriptions(state.expired(now: .seconds(25))) == [])
        #expect(descriptions(state.expired(now: .seconds(26))) == ["close"])
    }

    @Test("A request can be rejected by its head, before its body arrives")
    mutating func rejectedByHead() {
        let actions = state.received(Self.post.utf8, now: .zero)
        #expect(descriptions(actions) == ["headReceived /"])
        let response = state.respond(Response(404), date: "d", now: .zero)
        #expect(descriptions(response) == ["send HTTP/1.1 404 Not Found"])
        #expect(descriptions(state.sent(now: .zero)) == ["closeSending"])
    }

    @Test("A small body of a rejected request is read, and the next request is answered")
    mutating func rejectedWithSmallBody() {
        for (framing, body) in [
            ("Content-Length: 5", "hello"), ("Transfer-Encoding: chunked", "5\r\nhello\r\n0\r\n\r\n"),
        ] {
            let head = "POST / HTTP/1.1\r\nHost: a\r\n\(framing)\r\n\r\n"
            #expect(descriptions(state.received(head.utf8, now: .zero)) == ["headReceived /"])
            #expect(descriptions(state.respond(Response(405), date: "d", now: .zero)) == [])
            let next = get.replacing("/ ", with: "/2 ")
            let actions = state.received((body + next).utf8, now: .zero)
            #expect(descriptions(actions) == ["send HTTP/1.1 405 Method Not Allowed"])
            #expect(descriptions(state.sent(now: .zero)) == ["headReceived /2"])
            _ = state.respond(Response(404), date: "d", now: .zero)
            #expect(descriptions(state.sent(now: .zero)) == [])
        }
    }

    @Test("After a rejected request, an invalid, truncated, slow or long body never leads to the next request")
    mutating func rejectedWithOtherBody() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let fresh = state
        func rejectedByHead() -> HTTP1ConnectionState {
            var state = fresh
            _ = state.received(head.utf8, now: .zero)
            _ = state.respond(Response(404), date: "d", now: .zero)
            return state
        }
        var invalid = rejectedByHead()
        #expect(descriptions(invalid.received("5\r\nhelloX".utf8, now: .zero)) == ["reject 400"])
        var short = rejectedByHead()
        #expect(descriptions(short.receivedEnd(now: .zero)) == ["reject 400"])
        var slow = rejectedByHead()
        // A client may wait for the response before it ends its body.
        #expect(slow.deadline == .seconds(1))
        _ = slow.received("5\r\nhello".utf8, now: .milliseconds(900))
        #expect(slow.deadline == .seconds(1))
        #expect(descriptions(slow.expired(now: .seconds(1))) == ["send HTTP/1.1 404 Not Found"])
        #expect(descriptions(slow.sent(now: .seconds(1))) == ["closeSending"])
        var long = rejectedByHead()
        #expect(
            descriptions(long.received(("11000\r\n" + String(repeating: "x", count: 65_536)).utf8, now: .zero)) == []
        )
        #expect(descriptions(long.received("xx".utf8, now: .zero)) == ["send HTTP/1.1 404 Not Found"])
        #expect(descriptions(long.sent(now: .zero)) == ["closeSending"])
    }

    @Test("Empty lines do not start a request, so closing after them is not an error")
    mutating func emptyLines() {
        #expect(receive("\r\n\r\n") == [])
        #expect(descriptions(state.receivedEnd(now: .zero)) == ["close"])
        var slow = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = slow.received("\r\n".utf8, now: .zero)
        #expect(descriptions(slow.expired(now: .seconds(15))) == [])
        #expect(descriptions(slow.expired(now: .seconds(75))) == ["close"])
    }

    @Test(
        "Whether an error response has a body depends on the invalid request, not on the previous one",
        arguments: [
            "HEAD / HTTP/2.0\r\n", "HEAD /%zz HTTP/1.1\r\n", "HEAD / HTTP/1.1\n", "HEAD /\0", "HEAD  / HTTP/1.1\r\n",
            "HEAD /\(String(repeating: "a", count: 9000))", "HEAD / HTTP/1.1\r\nHost: a\r\nx\r\n",
        ]
    )
    mutating func rejectedHead(_ head: String) {
        let fresh = state
        for (method, other) in [("HEAD", "GET"), ("GET", "HEAD")] {
            var state = fresh
            _ = served(state.received(get.replacing("GET", with: other).utf8, now: .zero), &state, at: 0)
            _ = state.respond(Response(200), date: "d", now: .zero)
            _ = state.sent(now: .zero)
            #expect(
                descriptions(state.received(head.replacing("HEAD", with: method).utf8, now: .zero))[0].hasPrefix(
                    "reject"
                )
            )
            guard case .send(let response) = state.respond(Response(400, body: [65]), date: "d", now: .zero).first
            else {
                Issue.record("expected an error response")
                return
            }
            #expect(String(decoding: response, as: UTF8.self).hasSuffix("\r\n\r\n") == (method == "HEAD"))
        }
    }

    @Test("A truncated or slow request determines its own response, regardless of the previous request")
    mutating func truncatedAfterHead() {
        let fresh = state
        for (truncated, hasBody) in [("GET /", true), ("HE", true), ("HEAD /", false)] {
            for isSlow in [false, true] {
                var state = fresh
                let before = get.replacing("GET", with: hasBody ? "HEAD" : "GET")
                _ = served(state.received(before.utf8, now: .zero), &state, at: 0)
                _ = state.respond(Response(200), date: "d", now: .zero)
                _ = state.sent(now: .zero)
                _ = state.received(truncated.utf8, now: .zero)
                _ = isSlow ? state.expired(now: .seconds(15)) : state.receivedEnd(now: .zero)
                let actions = state.respond(Response(400, body: [65]), date: "d", now: .zero)
                guard case .send(let response) = actions.first else {
                    Issue.record("expected an error response")
                    return
                }
                #expect(String(decoding: response, as: UTF8.self).hasSuffix("\r\n\r\n") != hasBody, "\(truncated)")
            }
        }
    }

    @Test("Rejecting a request without a body keeps the connection open")
    mutating func rejectedWithoutBody() {
        #expect(
            descriptions(state.received((get + get.replacing("/ ", with: "/2 ")).utf8, now: .zero)) == [
                "headReceived /"
            ]
        )
        #expect(descriptions(state.respond(Response(401), date: "d", now: .zero)) == ["send HTTP/1.1 401 Unauthorized"])
        #expect(descriptions(state.sent(now: .zero)) == ["headReceived /2"])
    }

    @Test("A rejected request gets no 100 Continue")
    mutating func rejectedInsteadOfContinue() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(descriptions(state.received(head.utf8, now: .zero)) == ["headReceived /"])
        #expect(descriptions(state.respond(Response(413), date: "d", now: .zero)).count == 1)
    }

    @Test("A half-closed HTTP/1.1 client is probed with interim responses; an HTTP/1.0 client is not")
    mutating func probing() {
        #expect(receive(get) == ["handle /"])
        #expect(state.deadline == nil)
        _ = state.receivedEnd(now: .zero)
        var time = Duration.zero
        // Often at first, so that clients that disconnect early are noticed, then less often.
        for wait in [20, 40, 80, 160, 250, 250] {
            #expect(descriptions(state.expired(now: time + .milliseconds(wait - 1))) == [])
            time += .milliseconds(wait)
            #expect(descriptions(state.expired(now: time)) == ["send HTTP/1.1 102 Processing"])
            #expect(descriptions(state.sent(now: time)) == [])
        }
        #expect(respond() == ["send HTTP/1.1 200 OK", "close"])
        var old = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = served(old.received("GET / HTTP/1.0\r\n\r\n".utf8, now: .zero), &old, at: 0)
        _ = old.receivedEnd(now: .zero)
        #expect(old.deadline == nil)
    }

    @Test("Held bytes count received data, not the announced length")
    mutating func heldBytes() {
        #expect(state.heldBytes == 0)
        #expect(receive(Self.post) == [])
        #expect(state.heldBytes == 0)
        #expect(receive(String(repeating: "a", count: 100_000)) == [])
        #expect((100_000...300_000).contains(state.heldBytes))
        #expect(descriptions(state.cancel(RequestError(503, "full"), now: .zero)) == ["reject 503"])
        #expect(state.heldBytes == 0)
    }

    @Test("Body memory is at most twice the bytes received, however they are split")
    func bodyMemory() throws {
        var parser = RequestParser()
        parser.append("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n".utf8)
        _ = try parser.next()
        var arrived = 0
        while arrived < 10_000_000 {
            let piece = min(10_000_000 - arrived, 65_536)
            parser.append(Array(repeating: 1, count: piece))
            let event = try parser.next()
            arrived += piece
            if event == nil { #expect(parser.allocatedBytes <= 2 * arrived + 65_536) }
        }
        #expect(parser.allocatedBytes == 0)
    }

    @Test("Empty lines after a request do not change the idle deadline", arguments: ["\r\n", "\r\n\r\n"])
    mutating func strayLines(_ lines: String) {
        #expect(receive(get + lines) == ["handle /"])
        #expect(respond(at: 1) == ["send HTTP/1.1 200 OK"])
        let deadline = state.deadline
        #expect(deadline == .seconds(76) && state.idleSince == .seconds(1))
        // Also when split and received later.
        for byte in lines.utf8 { #expect(served(state.received([byte], now: .seconds(9)), &state, at: 9) == []) }
        #expect(state.deadline == deadline)
        #expect(receive(get, at: 70) == ["handle /"])
    }

    @Test("Draining closes idle connections and lets the others finish")
    mutating func draining() {
        #expect(descriptions(state.drain()) == ["close"])
        var busy = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = served(busy.received(get.utf8, now: .zero), &busy, at: 0)
        #expect(descriptions(busy.drain()) == [])
        let actions = busy.respond(Response(200), date: "d", now: .zero)
        guard case .send(let bytes) = actions.first else {
            Issue.record("expected a response")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self).contains("Connection: close\r\n"))
    }

    @Test("A rejected HEAD request gets no body, and an HTTP/1.0 client is told whether the connection stays open")
    mutating func responsesByRequest() {
        #expect(receive("HEAD / HTTP/1.1\r\n\r\n") == ["reject 400"])
        guard case .send(let response) = state.respond(Response(400, body: [65]), date: "d", now: .zero).first else {
            Issue.record("expected an error response")
            return
        }
        #expect(String(decoding: response, as: UTF8.self).hasSuffix("\r\n\r\n"))
        var old = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)
        let request = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
        _ = served(old.received(request.utf8, now: .zero), &old, at: 0)
        guard case .send(let bytes) = old.respond(Response(200), date: "d", now: .zero).first else {
            Issue.record("expected a response")
            return
        }
        #expect(String(decoding: bytes, as: UTF8.self).contains("\r\nConnection: keep-alive\r\n"))
    }

    @Test("The response to HEAD has all header fields and no body")
    func head() {
        let response = Response(200, contentType: "text/plain", body: "hello".utf8)
        let bytes = response.serialized(keepAlive: true, isHead: true, date: "d")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text == "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")
    }
}
