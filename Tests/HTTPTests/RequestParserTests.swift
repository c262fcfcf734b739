import HTTP
import Testing

@Suite struct RequestParserTests {
    /// The requests in `text`, fed in pieces of `size` bytes, or the error.
    private func parse(_ text: String, by size: Int = .max, limits: RequestLimits = RequestLimits()) -> Result<
        [Request], RequestError
    > {
        var parser = RequestParser(limits: limits)
        var requests: [Request] = []
        var rest = Array(text.utf8)[...]
        do throws(RequestError) {
            repeat {
                parser.append(rest.prefix(size))
                rest = rest.dropFirst(size)
                while let event = try parser.next() {
                    if case .request(let request) = event { requests.append(request) }
                }
            } while !rest.isEmpty
            return .success(requests)
        } catch {
            return .failure(error)
        }
    }

    static let host = "Host: a\r\n"

    @Test(
        "Registered methods are parsed, so that a path can answer 405; other words are unknown methods",
        arguments: [("QUERY", true), ("PROPFIND", true), ("VERSION-CONTROL", true), ("FOO", false), ("query", false)]
    )
    func methods(_ method: String, isKnown: Bool) {
        switch parse("\(method) / HTTP/1.1\r\n\(Self.host)\r\n") {
        case .success(let requests): #expect(isKnown && requests.map(\.head.method) == [method])
        case .failure(let error): #expect(!isKnown && error.status == 501)
        }
    }

    @Test("The split of reads does not change the result", arguments: 1...64)
    func splitReads(by size: Int) throws {
        let text = """
            POST /a%20b?t=1,2&x=%26 HTTP/1.1\r\nHost: h:80\r\nContent-Length: 5\r\nX:  y z \t\r\n\r\nhello\
            POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n\
            5;a=b\r\nhello\r\n006\r\n world\r\n0\r\nTrailer: x\r\n\r\n\
            GET http://other:8080/d HTTP/1.0\r\n\r\n
            """
        let requests = try parse(text, by: size).get()
        #expect(requests.map(\.head.method) == ["POST", "POST", "GET"])
        #expect(requests.map(\.head.path) == ["/a b", "/c", "/d"])
        #expect(requests.map { String(decoding: $0.body, as: UTF8.self) } == ["hello", "hello world", ""])
        #expect(
            requests[0].head.query.map(\.name) == ["t", "x"] && requests[0].head.query.map(\.value) == ["1,2", "&"]
        )
        #expect(requests[0].head.headers["x"] == "y z")
        #expect(requests.map(\.head.keepsAlive) == [true, true, false])
    }

    @Test(
        "Input that the RFCs forbid is rejected, however it is split",
        arguments: [
            // RFC 9112, section 3: the request line
            ("GET  / HTTP/1.1\r\n\(host)\r\n", 400), ("GET / HTTP/1.1 \r\n\(host)\r\n", 400),
            ("GET /\r\n\(host)\r\n", 400), (" GET / HTTP/1.1\r\n\(host)\r\n", 400),
            ("G@T / HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET / HTTP/2.0\r\n\(host)\r\n", 505), ("GET / HTTP/1.10\r\n\(host)\r\n", 400),
            ("GET / http/1.1\r\n\(host)\r\n", 400), ("GET / HTTQ/1.1\r\n\(host)\r\n", 400),
            ("GET a HTTP/1.1\r\n\(host)\r\n", 400), ("GET * HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET /%zz HTTP/1.1\r\n\(host)\r\n", 400), ("GET /v1%0Amodels HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET /%00 HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET /\u{7F} HTTP/1.1\r\n\(host)\r\n", 400), ("GET /é HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET /a#b HTTP/1.1\r\n\(host)\r\n", 400), ("GET ftp://a/ HTTP/1.1\r\n\(host)\r\n", 400),
            ("GET http://u@a/ HTTP/1.1\r\n\(host)\r\n", 400), ("\r\n\r\n GET / HTTP/1.1\r\n\(host)\r\n", 400),
            // section 2.2: line endings
            ("GET / HTTP/1.1\nHost: a\n\n", 400), ("GET / HTTP/1.1\r\nHost: a\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: b\rc\r\n\r\n", 400),
            // section 5: fields
            ("GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{0}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX: \u{1}\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nX(: b\r\n\r\n", 400),
            // section 3.2: Host
            ("GET / HTTP/1.1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: a:x\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
            ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400), ("GET / HTTP/1.1\r\nHost: [z]\r\n\r\n", 400),
            // section 6: framing
            ("POST / HTTP/1.1\r\n\(host)Content-Length: +5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 5,5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 0x5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: \r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999999999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: gzip\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked, chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: xchunked\r\n\r\n", 400),
            ("POST / HTTP/1.0\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
            // section 7.1: chunks
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n-1\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0x1\r\na\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1 \r\na\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n1;\u{1}\r\na\r\n", 400),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 413),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\nffffffffff\r\n", 413),
            ("POST / HTTP/1.1\r\n\(host)Transfer-Encoding: chunked\r\n\r\n0\r\nbad trailer\r\n\r\n", 400),
            // the size limits
            ("POST / HTTP/1.1\r\n\(host)Content-Length: 99999999999\r\n\r\n", 413),
            ("GET /\(String(repeating: "a", count: 9000)) HTTP/1.1\r\n\(host)\r\n", 414),
            ("GET / HTTP/1.1\r\n\(host)X: \(String(repeating: "a", count: 33_000))\r\n\r\n", 431),
            ("GET / HTTP/1.1\r\n\(host)\(String(repeating: "X: y\r\n", count: 101))\r\n", 431),
            // RFC 9110, section 10.1.1
            ("POST / HTTP/1.1\r\n\(host)Expect: 200-ok\r\nContent-Length: 1\r\n\r\na", 417),
        ]
    )
    func rejected(_ text: String, status: Int) {
        for size in [Int.max, 1, 7] {
            guard case .failure(let error) = parse(text, by: size) else {
                Issue.record("accepted when split by \(size)")
                return
            }
            #expect(error.status == status, "\(error.reason)")
        }
    }

    @Test(
        "Input that the RFCs allow is accepted",
        arguments: [
            "\r\nGET / HTTP/1.1\r\n\(host)\r\n", "GET / HTTP/1.9\r\n\(host)\r\n", "GET / HTTP/1.0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
            "GET / HTTP/1.1\r\n\(host)X:\r\n\r\n", "GET / HTTP/1.1\r\n\(host)X: caf\u{E9}\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\n\(host)\r\n", "GET /?a=b?c HTTP/1.1\r\n\(host)\r\n",
            "POST / HTTP/1.1\r\n\(host)transfer-encoding: ChUnKeD\r\n\r\n0\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 0\r\n\r\n",
            "POST / HTTP/1.1\r\n\(host)Content-Length: 0005\r\n\r\nhello",
        ]
    )
    func accepted(_ text: String) throws { #expect(try parse(text).get().count == 1) }

    @Test("A truncated body does not complete a request")
    func truncated() throws {
        #expect(try parse("POST / HTTP/1.1\r\n\(Self.host)Content-Length: 5\r\n\r\nhell").get().isEmpty)
    }

    @Test("The parser keeps failing after an error")
    func staysFailed() {
        var parser = RequestParser()
        parser.append("BAD\r\n".utf8)
        #expect(throws: RequestError.self) { try parser.next() }
        parser.append("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        #expect(throws: RequestError.self) { try parser.next() }
    }
}
