import Foundation
import HTTP
import HTTPServer
import Logging
import Metrics
import Synchronization
import TestSupport
import Testing

/// The server over loopback, with a handler that echoes the request.
@Suite(.timeLimit(.minutes(1))) struct HTTPServerTests {
    /// Responds with the method, the path and the body's length; `/slow` waits for `release`, `/forever` for
    /// cancellation.
    private struct Echo: RequestHandler {
        let heads = EventCounter()
        let slowRequests = EventCounter()
        let release = EventCounter()

        private func respond(to request: Request, from peer: Peer) async -> Response {
            if request.head.path == "/slow" {
                slowRequests.signal()
                await release.wait()
            }
            if request.head.path == "/forever" { try? await Task.sleep(for: .seconds(1000)) }
            if request.head.path == "/count" { return Response(200, contentType: "text/plain", stream: Counter()) }
            if request.head.path == "/broken" {
                return Response(200, contentType: "a/b", stream: Counter(failsAfter: 3))
            }
            if request.head.path == "/endless" { return Response(200, contentType: "a/b", stream: Endless()) }
            if request.head.path == "/large" { return Response(200, body: Array(repeating: 7, count: 20_000_000)) }
            if request.head.path == "/peer" { return Response(200, contentType: "a/b", body: peer.address.utf8) }
            let text = "\(request.head.method) \(request.head.path) \(request.body.count)"
            return Response(200, contentType: "text/plain", body: text.utf8)
        }

        func admit(_ head: RequestHead, from peer: Peer) -> HeadDecision {
            heads.signal()
            if head.path == "/forbidden" { return .respond(Response(403)) }
            return .readBody { await respond(to: Request(head: head, body: $0), from: peer) }
        }

        func errorResponse(for error: RequestError, from peer: Peer) -> Response {
            Response(error.status, contentType: "text/plain", body: error.reason.utf8)
        }
    }

    /// Ten lines; fails after `failsAfter`.
    private final class Counter: BodyStream {
        private let failsAfter: Int
        private let next = Mutex(0)

        init(failsAfter: Int = 10) { self.failsAfter = failsAfter }

        func next() async throws -> [UInt8]? {
            let index = next.withLock { next in
                defer { next += 1 }
                return next
            }
            if index == failsAfter, failsAfter < 10 { throw CancellationError() }
            return index < 10 ? Array("\(index)\n".utf8) : nil
        }

        func cancel() {}
    }

    /// Produces pieces without end.
    private final class Endless: BodyStream {
        static let pieces = Mutex(0)
        static let cancelled = EventCounter()

        func next() async -> [UInt8]? {
            Self.pieces.withLock { $0 += 1 }
            return Array(repeating: 7, count: 65_536)
        }

        func cancel() { Self.cancelled.signal() }
    }

    private let metrics = MetricsRegistry()
    private let echo = Echo()

    private func start(
        _ registry: MetricsRegistry? = nil,
        _ change: (inout HTTPServer.Configuration) -> Void = { _ in }
    ) throws -> (server: HTTPServer, port: UInt16) {
        var configuration = HTTPServer.Configuration()
        configuration.port = 0
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(configuration, handler: echo, metrics: registry ?? metrics, logger: logger)
        return (server, try server.listen().port)
    }

    /// Whether `condition`, for which there is no event, becomes true within ten seconds.
    private func eventually(_ condition: () -> Bool) async -> Bool {
        for _ in 0..<1000 where !condition() { try? await Task.sleep(for: .milliseconds(10)) }
        return condition()
    }

    private func text(_ response: RawClient.Response?) -> String? {
        response.map { String(decoding: $0.body, as: UTF8.self) }
    }

    @Test("One connection serves many requests, including pipelined and chunked ones")
    func keepAlive() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        for index in 0..<3 {
            await client.send("GET /\(index) HTTP/1.1\r\nHost: a\r\n\r\n")
            let response = await client.response()
            #expect(text(response) == "GET /\(index) 0")
            #expect(response?.head.contains("\r\nDate: ") == true)
        }
        await client.send(
            "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        await client.send(
            "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"
        )
        #expect(await text(client.response()) == "POST /a 3")
        #expect(await text(client.response()) == "GET /b 0")
        #expect(await text(client.response()) == "POST /c 5")
        await server.drain(limit: .zero)
    }

    @Test("A streamed body arrives complete, and a client can tell when one fails midway")
    func streams() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        for _ in 0..<2 {
            await client.send("GET /count HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await text(client.response()) == "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n")
        }
        await client.send("GET /broken HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await client.response() == nil)
        await server.drain(limit: .zero)
    }

    @Test("A stream pauses while its reader does not read, and is cancelled when the reader disconnects")
    func disconnectedReader() async throws {
        let (server, port) = try start()
        var client: RawClient? = try RawClient(port: port)
        await client?.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        // Only as much as the system's buffers hold is produced, then production stops.
        var (produced, before) = (0, -1)
        for _ in 0..<50 where produced == 0 || produced != before {
            try await Task.sleep(for: .milliseconds(300))
            (produced, before) = (Endless.pieces.withLock { $0 }, produced)
        }
        #expect(produced > 0 && produced == before)
        client = nil
        await Endless.cancelled.wait()
        await server.drain(limit: .zero)
    }

    @Test("A body sent slowly and in pieces arrives complete")
    func pieces() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        for byte in "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello".utf8 {
            await client.send([byte])
            try await Task.sleep(for: .milliseconds(1))
        }
        #expect(await text(client.response()) == "POST /a 5")
        await server.drain(limit: .zero)
    }

    @Test("An invalid request gets its error status, then the connection is closed")
    func invalidRequests() async throws {
        let (server, port) = try start()
        for (bytes, status) in [
            ("NONSENSE\r\n\r\n", 400), ("GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999\r\n\r\n", 413),
        ] {
            let client = try RawClient(port: port)
            await client.send(bytes)
            let response = await client.response()
            #expect(response?.status == status)
            #expect(response?.head.contains("Connection: close") == true)
            #expect(await client.isClosed())
        }
        await server.drain(limit: .zero)
    }

    @Test("A client that keeps sending after an early rejection can still read the response")
    func earlyRejection() async throws {
        let (server, port) = try start { $0.limits.bodyBytes = 1000 }
        let client = try RawClient(port: port)
        await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n")
        await client.send(Array(repeating: 0, count: 3_000_000))
        #expect(await client.response()?.status == 413)
        await server.drain(limit: .zero)
    }

    @Test("A truncated request is rejected, and the next one is served")
    func truncated() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        client.closeSending()
        #expect(await client.response()?.status == 400)
        do {
            // Disconnects in the middle of its request.
            let disconnecting = try RawClient(port: port)
            await disconnecting.send("POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf")
        }
        do {
            // Disconnects before its response.
            let disconnecting = try RawClient(port: port)
            await disconnecting.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        let next = try RawClient(port: port)
        await next.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await text(next.response()) == "GET /next 0")
        echo.release.signal()
        await server.drain(limit: .zero)
    }

    @Test("HEAD has no body, and 100 Continue is sent on request")
    func headAndContinue() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await client.response(toHead: true)?.head.contains("Content-Length: 9") == true)
        await client.send("POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        #expect(await client.response()?.status == 100)
        await client.send("ab")
        #expect(await text(client.response()) == "POST /p 2")
        await server.drain(limit: .zero)
    }

    @Test("A slow reader receives a large response completely")
    func largeResponse() async throws {
        let budget = MemoryBudget(bytes: 100_000_000, work: 1_000_000)
        let (server, port) = try start { $0.budget = budget }
        let client = try RawClient(port: port)
        await client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        // The client starts to read when the server already waits for it.
        #expect(await eventually { budget.buffers.bytes > 1_000_000 })
        let response = await client.response()
        #expect(response?.body.count == 20_000_000 && response?.body.allSatisfy { $0 == 7 } == true)
        await server.drain(limit: .zero)
    }

    @Test("A slow head gets 408")
    func slowHead() async throws {
        let (server, port) = try start { $0.deadlines.head = .milliseconds(300) }
        let client = try RawClient(port: port)
        await client.send("GET / HT")
        #expect(await client.response()?.status == 408)
        #expect(await client.isClosed())
        await server.drain(limit: .zero)
    }

    @Test("Connections beyond the limit wait while the others are busy")
    func connectionLimit() async throws {
        let (server, port) = try start { $0.maximumConnections = 2 }
        let busy = try (0..<2).map { _ in try RawClient(port: port) }
        for client in busy { await client.send("GET /slow HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") }
        await echo.slowRequests.wait(for: 2)
        let third = try RawClient(port: port)
        await third.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        echo.release.signal()
        #expect(await third.response()?.status == 200)
        for client in busy { #expect(await client.response()?.status == 200) }
        await server.drain(limit: .zero)
    }

    @Test("A connection beyond the limit replaces the one that has been idle longest")
    func eviction() async throws {
        let (server, port) = try start { $0.maximumConnections = 2 }
        var clients: [RawClient] = []
        for _ in 0..<3 {
            clients.append(try RawClient(port: port))
            await clients.last?.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(await clients.last?.response()?.status == 200)
        }
        #expect(await clients[0].isClosed())
        #expect(metrics.text.contains("refused_total{reason=\"evicted\"} 1"))
        await server.drain(limit: .zero)
    }

    @Test("One address may not use all connections")
    func addressLimit() async throws {
        let (server, port) = try start { $0.maximumConnectionsPerAddress = 2 }
        let clients = try (0..<3).map { _ in try RawClient(port: port) }
        for client in clients { await client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n") }
        #expect(await clients[0].response()?.status == 200)
        #expect(await clients[1].response()?.status == 200)
        #expect(await clients[2].response() == nil)
        #expect(metrics.text.contains("refused_total{reason=\"address\"} 1"))
        await server.drain(limit: .zero)
    }

    @Test("Announced bodies reserve no memory, and other requests are served while they stall")
    func announcedBodies() async throws {
        let (server, port) = try start { $0.budget = MemoryBudget(bytes: 200_000, work: 100_000) }
        var stalled: [RawClient] = []
        for _ in 0..<50 {
            let client = try RawClient(port: port)
            await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 30000000\r\n\r\n")
            stalled.append(client)
        }
        for _ in 0..<10 {
            let client = try RawClient(port: port)
            await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\n\r\n")
            await client.send(Array(repeating: 0, count: 5000))
            #expect(await text(client.response()) == "POST / 5000")
        }
        await server.drain(limit: .zero)
    }

    @Test("When memory is short, the slowest upload is rejected with 503 and the others complete")
    func slowestUpload() async throws {
        let budget = MemoryBudget(bytes: 3_000_000, work: 1_000_000)
        let (server, port) = try start {
            $0.budget = budget
            $0.maximumConnections = 10
        }
        let slow = try RawClient(port: port)
        await slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        await slow.send(Array(repeating: 0, count: 900_000))
        // A transfer's rate counts only after its first second.
        try await Task.sleep(for: .milliseconds(1200))
        let fast = try RawClient(port: port)
        await fast.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1200000\r\n\r\n")
        await fast.send(Array(repeating: 0, count: 1_200_000))
        #expect(await text(fast.response()) == "POST / 1200000")
        #expect(await slow.response()?.status == 503)
        #expect(metrics.text.contains("refused_total{reason=\"bytes\"} 1"))
        // A small upload is within its share and is never rejected.
        let small = try RawClient(port: port)
        await small.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
        #expect(await text(small.response()) == "POST / 5")
        await server.drain(limit: .zero)
        #expect(budget.buffers.bytes == 0)
        #expect(metrics.text.contains("\ndia_connections 0\n"))
    }

    @Test("Thousands of pipelined requests rejected by their heads are answered in order", .timeLimit(.minutes(1)))
    func pipelinedRejections() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        let count = 20_000
        let request = "GET /forbidden HTTP/1.1\r\nHost:\r\n\r\n"
        // The first request is slow, so that the next ones wait in the buffer of the connection.
        await client.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await client.send(String(repeating: request, count: 1000))
        await echo.slowRequests.wait()
        async let sent: Void = client.send(String(repeating: request, count: count - 1000))
        echo.release.signal()
        #expect(await text(client.response()) == "GET /slow 0")
        await sent
        for _ in 0..<count {
            guard await client.response()?.status == 403 else {
                Issue.record("expected status 403 for every request")
                return
            }
        }
        await server.drain(limit: .zero)
    }

    @Test("Other clients are served while one connection has thousands of requests waiting")
    func fairness() async throws {
        let (server, port) = try start()
        let busy = try RawClient(port: port)
        let other = try RawClient(port: port)
        await busy.send(String(repeating: "GET /forbidden HTTP/1.1\r\nHost:\r\n\r\n", count: 1000))
        await other.send("GET /b HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await text(other.response()) == "GET /b 0")
        await server.drain(limit: .zero)
    }

    @Test("An inherited Unix domain socket is served")
    func unixSocket() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("socket").path
            let (server, address) = try startOnUnixSocket(path)
            #expect(address.url(scheme: "http") == "unix:\(path)")
            let client = try RawClient(unixPath: path)
            for _ in 0..<2 {
                await client.send("GET /peer HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await text(client.response()) == "unix")
            }
            await server.drain(limit: .zero)
        }
    }

    private func startOnUnixSocket(_ path: String) throws -> (HTTPServer, ListeningAddress) {
        let descriptor = try #require(RawClient.listen(unixPath: path))
        var configuration = HTTPServer.Configuration()
        configuration.inheritedSocket = descriptor
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(configuration, handler: echo, metrics: metrics, logger: logger)
        return (server, try server.listen())
    }

    @Test("A request rejected by its head is answered before its body arrives")
    func rejectedByHead() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send("POST /forbidden HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n")
        #expect(await client.response()?.status == 403)
        await client.send(Array(repeating: 0, count: 1_000_000))
        #expect(await client.isClosed())
        await server.drain(limit: .zero)
    }

    @Test("Work is cancelled when the client disconnects, but not when it only half-closes the connection")
    func disconnected() async throws {
        let (server, port) = try start()
        for path in ["/forever", "/forever"] {
            // With nothing left to read, the server cannot tell a close from a half-close until it writes.
            let disconnecting = try RawClient(port: port)
            await disconnecting.send("GET \(path) HTTP/1.1\r\nHost: a\r\n\r\n")
        }
        let half = try RawClient(port: port)
        await half.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        half.closeSending()
        // The server probes the half-closed connection while the request is in progress.
        var response = await half.response()
        #expect(response?.status == 102)
        echo.release.signal()
        while response?.status == 102 { response = await half.response() }
        #expect(await text(half.response()) ?? text(response) == "GET /slow 0")
        // If the disconnects went unnoticed, the server would wait forever.
        #expect(await eventually { metrics.text.contains("dia_abandoned_requests_total 2") })
        await server.drain(limit: .seconds(30))
    }

    @Test("Draining finishes open requests, closes idle connections and accepts no more")
    func draining() async throws {
        let (server, port) = try start()
        let busy = try RawClient(port: port)
        let idle = try RawClient(port: port)
        await idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(await idle.response()?.status == 200)
        await busy.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
        await echo.slowRequests.wait()
        async let drained: Void = server.drain(limit: .seconds(10))
        #expect(await idle.isClosed())
        echo.release.signal()
        #expect(await text(busy.response()) == "GET /slow 0")
        #expect(await busy.isClosed())
        await drained
        #expect(throws: RawClient.Failure.self) { _ = try RawClient(port: port) }
    }

    @Test("Draining stops at its limit even if a client does not finish")
    func drainLimit() async throws {
        let (server, port) = try start()
        let stuck = try RawClient(port: port)
        await stuck.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\n")
        await echo.heads.wait()
        let start = ContinuousClock.now
        await server.drain(limit: .milliseconds(400))
        #expect(ContinuousClock.now - start < .seconds(5))
        #expect(await stuck.isClosed())
    }

    @Test("An address that is in use or unknown is an error that names the cause")
    func cannotListen() async throws {
        let (server, port) = try start()
        let error = #expect(throws: ListenError.self) { try start(MetricsRegistry()) { $0.port = port } }
        #expect("\(try #require(error))".contains("127.0.0.1:\(port): bind: "))
        #expect(throws: ListenError.self) { try start(MetricsRegistry()) { $0.host = "no such host" } }
        #expect(throws: ListenError.self) {
            try start(MetricsRegistry()) { configuration in
                configuration.host = "0.0.0.0"
                configuration.isLoopbackOnly = true
            }
        }
        await server.drain(limit: .zero)
    }

    @Test("Two hundred concurrent clients each get their own response")
    func manyClients() async throws {
        let (server, port) = try start()
        let correct = try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<200 {
                group.addTask {
                    let client = try RawClient(port: port)
                    await client.send("GET /\(index) HTTP/1.1\r\nHost: a\r\n\r\n")
                    let body = await client.response().map { String(decoding: $0.body, as: UTF8.self) }
                    return body == "GET /\(index) 0"
                }
            }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(correct == 200)
        await server.drain(limit: .zero)
    }
}
