import HTTP
import Testing

/// Responses with a streamed body, without a socket or a clock.
@Suite struct StreamedResponseTests {
    private struct Nothing: BodyStream {
        func next() async -> [UInt8]? { nil }
        func cancel() {}
    }

    private var state = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)

    /// The bytes to send as text, and short descriptions of the other actions.
    private func texts(_ actions: [HTTP1ConnectionState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .headReceived: "headReceived"
            case .handle: "handle"
            case .send(let bytes): String(decoding: bytes, as: UTF8.self)
            case .body(let bytes): "body \(bytes.count)"
            case .bodyEnded(let error): "bodyEnded \(error?.status ?? 0)"
            case .pullBody: "pullBody"
            case .reject: "reject"
            case .closeSending: "closeSending"
            case .close: "close"
            }
        }
    }

    /// A request with `version`, up to the point where the head of its response has been sent.
    private mutating func begin(_ version: String = "1.1") -> [String] {
        _ = state.received("POST / HTTP/\(version)\r\nHost: a\r\nContent-Length: 2\r\n\r\nab".utf8, now: .zero)
        _ = state.proceed(now: .zero)
        let response = Response(200, contentType: "application/x-ndjson", stream: Nothing())
        return texts(state.respond(response, date: "d", now: .zero)) + texts(state.sent(now: .zero))
    }

    private mutating func piece(_ text: String?, at second: Int = 1) -> [String] {
        texts(state.piece(text.map { Array($0.utf8) }, now: .seconds(second)))
            + texts(state.sent(now: .seconds(second)))
    }

    @Test("Each piece is one chunk, pulled once the previous one is sent, and the connection stays open")
    mutating func chunks() {
        let head = "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Type: application/x-ndjson\r\n"
        #expect(begin() == [head + "Transfer-Encoding: chunked\r\n\r\n", "pullBody"])
        #expect(piece("hello") == ["5\r\nhello\r\n", "pullBody"])
        #expect(piece(String(repeating: "x", count: 26)).first?.hasPrefix("1a\r\nx") == true)
        #expect(piece(nil) == ["0\r\n\r\n"])
        #expect(texts(state.received("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8, now: .seconds(1))) == ["headReceived"])
    }

    @Test("HTTP/1.0 has no chunked encoding: closing the connection ends the body")
    mutating func http1_0() {
        let begun = begin("1.0")
        #expect(begun.last == "pullBody" && begun.first?.contains("Connection: close") == true)
        #expect(begun.first?.contains("Transfer-Encoding") == false)
        #expect(piece("hello") == ["hello", "pullBody"])
        #expect(piece(nil) == ["closeSending"])
    }

    @Test("A body that fails midway closes the connection without the last chunk")
    mutating func failedMidway() {
        _ = begin()
        _ = piece("hello")
        #expect(texts(state.abortBody()) == ["close"])
    }

    @Test("Only one piece is pulled at a time, and the next request waits")
    mutating func oneAtATime() {
        _ = begin()
        #expect(texts(state.sent(now: .zero)) == [])
        #expect(state.wantsInput && state.received("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8, now: .zero).isEmpty)
        #expect(piece(nil) == ["0\r\n\r\n", "headReceived"])
    }

    @Test("Each piece has the response deadline, and the whole body the request deadline")
    mutating func deadlines() {
        _ = begin()
        // There is no deadline while a piece is being produced.
        #expect(state.deadline == nil)
        _ = state.piece([1], now: .seconds(100))
        #expect(state.deadline == .seconds(120))
        _ = state.sent(now: .seconds(101))
        _ = state.piece([1], now: .seconds(290))
        #expect(state.deadline == .seconds(300) && texts(state.expired(now: .seconds(300))) == ["close"])
    }

    @Test("The request body counts as held until the response is complete")
    mutating func heldBytes() {
        _ = begin()
        #expect(state.heldBytes == 2)
        _ = piece(nil)
        #expect(state.heldBytes == 0)
    }
}
