import HTTP
import Testing

/// Answers whose body is made while it is sent, without a socket or a clock.
@Suite struct StreamedAnswerTests {
    private struct Nothing: BodyStream {
        func next() async -> [UInt8]? { nil }
        func cancel() {}
    }

    private var rules = HTTP1ConnectionState(limits: RequestLimits(), deadlines: .init(), now: .zero)

    /// What is to be sent, and the other actions as words.
    private func texts(_ actions: [HTTP1ConnectionState.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .headReceived: "consider"
            case .handle: "handle"
            case .send(let bytes): String(decoding: bytes, as: UTF8.self)
            case .pullBody: "produce"
            case .reject: "refuse"
            case .closeSending: "closeSending"
            case .close: "close"
            }
        }
    }

    /// A request of `version`, up to the head of its answer on the wire.
    private mutating func begin(_ version: String = "1.1") -> [String] {
        _ = rules.received("POST / HTTP/\(version)\r\nHost: a\r\nContent-Length: 2\r\n\r\nab".utf8, now: .zero)
        _ = rules.proceed(now: .zero)
        let response = Response(200, contentType: "application/x-ndjson", stream: Nothing())
        return texts(rules.respond(response, date: "d", now: .zero)) + texts(rules.sent(now: .zero))
    }

    private mutating func piece(_ text: String?, at second: Int = 1) -> [String] {
        texts(rules.piece(text.map { Array($0.utf8) }, now: .seconds(second)))
            + texts(rules.sent(now: .seconds(second)))
    }

    @Test("Pieces are chunks, each asked for when the one before is on the wire, and the connection lives on")
    mutating func chunks() {
        let head = "HTTP/1.1 200 OK\r\nDate: d\r\nContent-Type: application/x-ndjson\r\n"
        #expect(begin() == [head + "Transfer-Encoding: chunked\r\n\r\n", "produce"])
        #expect(piece("hello") == ["5\r\nhello\r\n", "produce"])
        #expect(piece(String(repeating: "x", count: 26)).first?.hasPrefix("1a\r\nx") == true)
        #expect(piece(nil) == ["0\r\n\r\n"])
        #expect(texts(rules.received("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8, now: .seconds(1))) == ["consider"])
    }

    @Test("HTTP/1.0 knows no chunks: the end of the connection ends the body")
    mutating func http1_0() {
        let begun = begin("1.0")
        #expect(begun.last == "produce" && begun.first?.contains("Connection: close") == true)
        #expect(begun.first?.contains("Transfer-Encoding") == false)
        #expect(piece("hello") == ["hello", "produce"])
        #expect(piece(nil) == ["closeSending"])
    }

    @Test("A body that cannot be made to its end breaks the connection off, without the last chunk")
    mutating func brokenOff() {
        _ = begin()
        _ = piece("hello")
        #expect(texts(rules.abortBody()) == ["close"])
    }

    @Test("What is sent meanwhile asks for no second piece, and the next request waits")
    mutating func oneAtATime() {
        _ = begin()
        #expect(texts(rules.sent(now: .zero)) == [])
        #expect(rules.wantsInput && rules.received("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8, now: .zero).isEmpty)
        #expect(piece(nil) == ["0\r\n\r\n", "consider"])
    }

    @Test("A reader has the time of an answer for each piece, and the time of a request for all")
    mutating func deadlines() {
        _ = begin()
        // Nobody waits for a reader while a piece is made.
        #expect(rules.deadline == nil)
        _ = rules.piece([1], now: .seconds(100))
        #expect(rules.deadline == .seconds(120))
        _ = rules.sent(now: .seconds(101))
        _ = rules.piece([1], now: .seconds(290))
        #expect(rules.deadline == .seconds(300) && texts(rules.expired(now: .seconds(300))) == ["close"])
    }

    @Test("The request's body counts as held while its answer is made")
    mutating func heldBytes() {
        _ = begin()
        #expect(rules.heldBytes == 2)
        _ = piece(nil)
        #expect(rules.heldBytes == 0)
    }
}
