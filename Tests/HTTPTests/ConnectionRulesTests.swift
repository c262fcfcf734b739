import HTTP
import Testing

/// The rules of a connection without a socket or a clock.
@Suite struct ConnectionRulesTests {
    private var rules = ConnectionRules(limits: RequestLimits(), deadlines: .init(), now: .zero)
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    /// The actions as short words.
    private func words(_ actions: [ConnectionRules.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .handle(let request): "handle \(request.head.path)"
            case .send(let bytes): "send \(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\r\n" })"
            case .refuse(let error): "refuse \(error.status)"
            case .closeSending: "closeSending"
            case .close: "close"
            }
        }
    }

    private mutating func receive(_ text: String, at second: Int = 0) -> [String] {
        words(rules.received(text.utf8, now: .seconds(second)))
    }

    private mutating func answer(at second: Int = 0) -> [String] {
        words(rules.respond(Response(200, body: [1]), date: "d", now: .seconds(second)))
            + words(rules.sent(now: .seconds(second)))
    }

    @Test("A connection lives on after an answer")
    mutating func keepAlive() {
        #expect(receive(get) == ["handle /"])
        #expect(!rules.wantsInput)
        #expect(answer() == ["send HTTP/1.1 200 OK"])
        #expect(rules.wantsInput)
        #expect(receive(get) == ["handle /"])
    }

    @Test("Pipelined requests are handled one after another")
    mutating func pipelining() {
        #expect(receive(get + get.replacing("/ ", with: "/2 ")) == ["handle /"])
        #expect(answer() == ["send HTTP/1.1 200 OK", "handle /2"])
    }

    @Test(
        "After an answer that closes, bytes on their way are awaited",
        arguments: ["1.0\r\n", "1.1\r\nConnection: close\r\n"]
    )
    mutating func closing(_ version: String) {
        #expect(receive("GET / HTTP/\(version)Host: a\r\n\r\n") == ["handle /"])
        #expect(answer() == ["send HTTP/1.1 200 OK", "closeSending"])
        #expect(receive("more") == [])
        #expect(words(rules.receivedEnd(now: .zero)) == ["close"])
    }

    @Test("Bytes that are no request are answered, then the connection closes")
    mutating func refusal() {
        #expect(receive("BAD\r\n\r\n") == ["refuse 400"])
        #expect(answer() == ["send HTTP/1.1 200 OK", "closeSending"])
        #expect(words(rules.expired(now: .seconds(10))) == ["close"])
    }

    @Test("A body too large is refused before it is sent")
    mutating func tooLarge() {
        #expect(
            receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\nExpect: 100-continue\r\n\r\n") == [
                "refuse 413"
            ]
        )
    }

    @Test("A client that waits for 100 Continue gets it")
    mutating func continues() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
        #expect(receive(head) == ["send HTTP/1.1 100 Continue"])
        #expect(words(rules.sent(now: .zero)) == [])
        #expect(receive("ab") == ["handle /"])
    }

    @Test("One that sent its body at once does not")
    mutating func noContinue() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\nab"
        #expect(receive(head) == ["handle /"])
    }

    @Test("A request cut short by the end of the connection is refused")
    mutating func cutShort() {
        #expect(receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhel") == [])
        #expect(words(rules.receivedEnd(now: .zero)) == ["refuse 400"])
        #expect(answer() == ["send HTTP/1.1 200 OK", "close"])
    }

    @Test("A client that has sent its last byte still gets its answers")
    mutating func halfClosed() {
        #expect(receive(get + get) == ["handle /"])
        #expect(words(rules.receivedEnd(now: .zero)) == [])
        #expect(answer() == ["send HTTP/1.1 200 OK", "handle /"])
        #expect(answer() == ["send HTTP/1.1 200 OK", "close"])
    }

    @Test("Slow heads and bodies get 408, an idle connection is closed, each at its deadline")
    mutating func deadlines() {
        #expect(rules.deadline == .seconds(75))
        #expect(receive("GET", at: 5) == [])
        // The first byte starts the clock; further ones do not move it.
        #expect(receive(" / HTTP", at: 9) == [])
        #expect(rules.deadline == .seconds(15))
        #expect(words(rules.expired(now: .seconds(14))) == [])
        #expect(words(rules.expired(now: .seconds(15))) == ["refuse 408"])
        var idle = ConnectionRules(limits: RequestLimits(), deadlines: .init(), now: .zero)
        #expect(words(idle.expired(now: .seconds(75))) == ["close"])
        var body = ConnectionRules(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = body.received("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n".utf8, now: .seconds(1))
        #expect(body.deadline == .seconds(61))
        #expect(words(body.expired(now: .seconds(61))) == ["refuse 408"])
    }

    @Test("An answer that is not taken closes the connection")
    mutating func slowReader() {
        _ = receive(get)
        _ = rules.respond(Response(200), date: "d", now: .seconds(1))
        #expect(words(rules.expired(now: .seconds(61))) == ["close"])
    }

    @Test("Draining closes idle connections and finishes the others")
    mutating func draining() {
        #expect(words(rules.drain()) == ["close"])
        var busy = ConnectionRules(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = busy.received(get.utf8, now: .zero)
        #expect(words(busy.drain()) == [])
        let answer = busy.respond(Response(200), date: "d", now: .zero)
        guard case .send(let bytes) = answer.first else { return #expect(Bool(false)) }
        #expect(String(decoding: bytes, as: UTF8.self).contains("Connection: close\r\n"))
    }

    @Test("A HEAD that is refused gets no body, and a 1.0 client is told that the connection stays")
    mutating func answersByRequest() {
        #expect(receive("HEAD / HTTP/1.1\r\n\r\n") == ["refuse 400"])
        guard case .send(let refusal) = rules.respond(Response(400, body: [65]), date: "d", now: .zero).first else {
            return #expect(Bool(false))
        }
        #expect(String(decoding: refusal, as: UTF8.self).hasSuffix("\r\n\r\n"))
        var old = ConnectionRules(limits: RequestLimits(), deadlines: .init(), now: .zero)
        _ = old.received("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".utf8, now: .zero)
        guard case .send(let answer) = old.respond(Response(200), date: "d", now: .zero).first else {
            return #expect(Bool(false))
        }
        #expect(String(decoding: answer, as: UTF8.self).contains("\r\nConnection: keep-alive\r\n"))
    }

    @Test("HEAD gets all fields and no body")
    func head() {
        let response = Response(200, contentType: "text/plain", body: "hello".utf8)
        let bytes = response.serialized(keepAlive: true, isHead: true, date: "d")
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text == "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\n")
    }
}
