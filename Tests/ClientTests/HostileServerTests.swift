import Client
import Foundation
import Synchronization
import TestSupport
import Testing

/// The client against servers that are busy, broken or hostile.
@Suite(.timeLimit(.minutes(5))) struct HostileServerTests {
    private static let score = ScriptedServer.response(
        200,
        "application/json",
        String(decoding: ScoreAnswer.example().json, as: UTF8.self)
    )

    /// A client of `server`, whose timeout also holds on a busy machine, and its pauses, which take no time.
    private final class Fixture: Sendable {
        let pauses = Mutex<[Double]>([])
        let port: UInt16

        init(_ server: ScriptedServer) { port = server.port }

        func client(seconds: Double = 60, key: APIKey? = nil, attempts: Int = 8) throws -> ServiceClient {
            var configuration = CurlTransport.Configuration(try ServerAddress("http://127.0.0.1:\(port)/prefix/"))
            configuration.seconds = seconds
            var policy = RetryPolicy()
            policy.attempts = attempts
            return ServiceClient(
                CurlTransport(configuration),
                key: key,
                seconds: seconds,
                policy: policy,
                clock: { [self] in pauses.withLock { $0.reduce(0, +) } },
                pause: { [self] seconds in pauses.withLock { $0.append(seconds) } }
            )
        }
    }

    private func error(
        of step: ScriptedServer.Step,
        seconds: Double = 60,
        attempts: Int = 8
    ) throws -> (ClientError, requests: Int) {
        let server = ScriptedServer([step])
        let client = try Fixture(server).client(seconds: seconds, attempts: attempts)
        let error = #expect(throws: ClientError.self) { try client.score([1], model: "m", []) }
        return (try #require(error), server.requests.count)
    }

    @Test("A request has the file, the parameters and the key, and connections are used again")
    func request() throws {
        let server = ScriptedServer([.send(Self.score)])
        let client = try Fixture(server).client(key: APIKey(Array("secret-key\n".utf8), file: "key"))
        for _ in 0..<3 {
            let answer = try client.score(Array("file".utf8), model: "a b/c", [("bits", "12"), ("x", "&=?")])
            #expect(answer.score.normality == 2.0546563267707825 && answer.score.inputCheck?.pValue == 0.5)
        }
        #expect(server.connections == 1 && server.requests.count == 3)
        let request = server.requests[0]
        #expect(request.hasPrefix("POST /prefix/v1/models/a%20b%2Fc/score?bits=12&x=%26%3D%3F HTTP/1.1\r\n"))
        #expect(request.contains("\r\nContent-Type: image/png\r\n") && request.hasSuffix("\r\n\r\nfile"))
        #expect(request.contains("\r\nAuthorization: Bearer secret-key\r\n"))
        #expect(!request.contains("www-form-urlencoded"))
    }

    @Test("A busy server is asked again after Retry-After, and the score is the same")
    func busy() throws {
        let problem = "{\"status\":503,\"title\":\"Service Unavailable\",\"detail\":\"busy\"}"
        let response = { (field: String) in
            ScriptedServer.response(503, "application/problem+json", problem, fields: field)
        }
        let server = ScriptedServer([
            .send(response("Retry-After: 7\r\n")), .send(response("")),
            .sendAndClose(ScriptedServer.response(429, "text/html", "<p>slow down</p>", fields: "Retry-After: 3\r\n")),
            .close, .reset, .send(Self.score),
        ])
        let fixture = Fixture(server)
        #expect(try fixture.client().score([1], model: "m", []).score.verdict == "normal")
        let pauses = fixture.pauses.withLock { $0 }
        #expect(pauses.count == 5 && pauses[0] >= 7 && pauses[0] <= 8.75 && pauses[1] <= 1 && pauses[2] >= 3)
        #expect(server.requests.count >= 6)
    }

    @Test("A server that stays busy gives its own message in the end")
    func staysBusy() throws {
        let body = "{\"detail\":\"the queue is full\",\"request_id\":\"abc\"}"
        let (error, requests) = try error(of: .send(ScriptedServer.response(503, "application/problem+json", body)))
        #expect(error.description == "503 Service Unavailable: the queue is full (request abc)" && requests == 8)
    }

    @Test("A server that has not loaded its models yet is waited for")
    func starting() throws {
        let model = """
            {"name":"m","version":"1","digest":"d","default":true,"input":{"channels":1,"height":8,"width":8},\
            "evaluation":null,"limits":{"body_bytes":9,"pixels":8,"queue":256,"batch":16}}
            """
        let lists = ["[]", "[]", "[\(model)]"].map { list in
            ScriptedServer.Step.send(ScriptedServer.response(200, "application/json", "{\"models\":\(list)}"))
        }
        let server = ScriptedServer(lists)
        let fixture = Fixture(server)
        #expect(try fixture.client().model(nil).concurrency == 32)
        #expect(fixture.pauses.withLock { $0.count } == 2)
        let empty = ScriptedServer([lists[0]])
        let error = #expect(throws: ClientError.self) { try Fixture(empty).client().models() }
        #expect(error?.description.contains("no models") == true && empty.connections == 1 && server.connections == 1)
    }

    @Test("A server that sends nothing is a timeout")
    func silence() throws {
        let (error, requests) = try error(of: .silence, seconds: 0.2)
        #expect(error == .timeout(seconds: 0.2) && requests == 1)
    }

    @Test("A response that stops in the middle is a lost connection", arguments: [1, 20, 60, 100])
    func endsEarly(bytes: Int) throws {
        let (error, _) = try error(of: .sendAndClose(String(Self.score.prefix(bytes))), attempts: 2)
        switch error {
        case .connectionLost, .invalidResponse: break
        default: Issue.record("\(error)")
        }
    }

    @Test("A response that is larger than allowed is not stored")
    func huge() throws {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
        for step: ScriptedServer.Step in [
            .sendEndlessly("\(head)\r\n"), .sendEndlessly("\(head)Content-Length: 99999999999\r\n\r\n"),
            .sendEndlessly("HTTP/1.1 200 OK\r\nA: "),
        ] {
            let (error, requests) = try error(of: step)
            guard case .invalidResponse = error else {
                Issue.record("\(error)")
                continue
            }
            #expect(requests == 1)
        }
    }

    @Test(
        "What is not a score is an error that says so, and is not repeated",
        arguments: [
            ("{\"score\":", "application/json"), ("[]", "application/json"), ("{}", "application/json"),
            ("{\"normality\":NaN}", "application/json"), ("", "application/json"),
            (String(repeating: "[", count: 100_000), "application/json"),
            ("<html>", "text/html"), ("{}", "image/png"), ("\u{1B}[2J", "\u{1B}[2J"),
        ]
    )
    func invalid(body: String, type: String) throws {
        let (error, requests) = try error(of: .send(ScriptedServer.response(200, type, body)))
        guard case .invalidResponse = error else {
            Issue.record("\(error)")
            return
        }
        #expect(
            requests == 1 && error.description.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control }
        )
    }

    @Test(
        "What is not HTTP is an error",
        arguments: ["junk\r\n\r\n", "SSH-2.0-OpenSSH_9.2\r\n", "\0\0\0\0", "HTTP/9.9 200\r\n\r\n"]
    )
    func notHTTP(bytes: String) throws {
        let (error, _) = try error(of: .sendAndClose(bytes), attempts: 2)
        switch error {
        case .connectionLost, .invalidResponse: break
        default: Issue.record("\(error)")
        }
    }

    @Test("Statuses have the server's detail, or at least their name")
    func problems() throws {
        for (response, text) in [
            (
                ScriptedServer.response(422, "application/problem+json", "{\"detail\":\"bad\\u001b[2Jimage\\n\"}"),
                "422 Unprocessable Content: bad [2Jimage "
            ),
            (ScriptedServer.response(413, "text/html", "<html>"), "413 Content Too Large"),
            (ScriptedServer.response(500, "application/json", "[1]"), "500 Internal Server Error"),
            (ScriptedServer.response(418, "text/plain", ""), "Status 418"),
            (
                ScriptedServer.response(301, "text/html", "", fields: "Location: https://other/\r\n"),
                "Status 301: the server redirects to https://other/"
            ),
        ] {
            #expect(try error(of: .send(response)).0.description == text)
        }
    }

    @Test("A rejected key is named by its file, and never shown")
    func rejectedKey() throws {
        let body = "{\"detail\":\"the key is not known\"}"
        for (status, part) in [(401, "does not accept the key in my-key-file"), (403, "with the key in my-key-file")] {
            let server = ScriptedServer([.send(ScriptedServer.response(status, "application/problem+json", body))])
            let key = try APIKey(Array("secret-key".utf8), file: "my-key-file")
            let client = try Fixture(server).client(key: key)
            let error = #expect(throws: ClientError.self) { try client.models() }
            #expect(error?.description.contains(part) == true && error?.concernsAllRequests == true)
            #expect(!"\(String(describing: error)) \(key)".contains("secret-key") && server.requests.count == 1)
        }
        let server = ScriptedServer([.send(ScriptedServer.response(401, "application/problem+json", body))])
        let error = #expect(throws: ClientError.self) { try Fixture(server).client().models() }
        #expect(error?.description.contains("--key-file") == true)
    }

    @Test(
        "A file without a key is an error that does not show its contents",
        arguments: ["", "two keys", "a\nb", "käse", "a\u{1}b"]
    )
    func invalidKey(text: String) {
        let error = #expect(throws: APIKey.InvalidKey.self) { try APIKey(Array(text.utf8), file: "file") }
        #expect(
            error?.description.contains("file") == true && (text.isEmpty || error?.description.contains(text) == false)
        )
    }

    @Test("An address without a server cannot be connected to, and is given up soon")
    func refused() throws {
        // The server listens on another address of the loopback interface.
        let server = ScriptedServer([.close])
        let pauses = Atomic(0)
        let address = try ServerAddress("http://127.0.0.2:\(server.port)")
        let pause: @Sendable (Double) -> Void = { _ in pauses.add(1, ordering: .relaxed) }
        let client = ServiceClient(CurlTransport(CurlTransport.Configuration(address)), pause: pause)
        let error = #expect(throws: ClientError.self) { try client.models() }
        guard case .cannotConnect(let reason)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(reason.contains("127.0.0.2:\(server.port)") && pauses.load(ordering: .relaxed) == 2)
    }

    @Test(
        "An address is checked before it is used",
        arguments: [
            "", "localhost:8080", "ftp://host", "http://", "http://user:secret@host", "http://host/?a=b",
            "http://host#a",
            "file:///etc/passwd",
        ]
    )
    func addresses(text: String) {
        let error = #expect(throws: ServerAddress.InvalidAddress.self) { try ServerAddress(text) }
        #expect(error?.description.contains("secret") == false)
    }
}
