import HTTP
import HTTPServer
import Logging
import Metrics
import TestSupport
import Testing

/// Requests whose body is read while they are handled, over loopback.
@Suite(.timeLimit(.minutes(1))) struct StreamedRequestTests {
    /// Answers each byte of a body with 100 bytes; to `/count` with the number of bytes, to `/refuse` at once.
    private struct Echo: RequestHandler {
        let consumed = EventCounter()
        let failed = EventCounter()

        func admit(_ head: RequestHead, from peer: Peer) -> HeadDecision {
            switch head.path {
            case "/refuse": return .streamBody { _ in Response(422, contentType: "a/b", body: "no".utf8) }
            case "/slow":
                // Reads one piece, then waits for cancellation.
                return .streamBody { body in
                    _ = try? await body.next()
                    consumed.signal()
                    do { while let _ = try await body.next() {} } catch { failed.signal() }
                    return Response(200)
                }
            case "/count":
                return .streamBody { body in
                    var count = 0
                    do throws(RequestError) {
                        while let bytes = try await body.next() { count += bytes.count }
                    } catch {
                        return Response(error.status, contentType: "a/b", body: "\(count)".utf8)
                    }
                    return Response(200, contentType: "a/b", body: "\(count)".utf8)
                }
            default: return .streamBody { Response(200, contentType: "a/b", stream: Repeated($0)) }
            }
        }

        func errorResponse(for error: RequestError, from peer: Peer) -> Response { Response(error.status) }
    }

    /// A hundred bytes for each byte of the body.
    ///
    /// The body is read whether or not the client reads the response, as for a batch.
    private final class Repeated: BodyStream {
        private let output = BoundedQueue<[UInt8]>(limit: .max)

        init(_ body: any BodySource) {
            Task { [output] in
                while let bytes = try? await body.next() {
                    output.offer(bytes.flatMap { [UInt8](repeating: $0, count: 100) }, weight: 1)
                }
                output.finish()
            }
        }

        func next() async -> [UInt8]? { await output.next() }
        func cancel() { output.cancel() }
    }

    private let echo = Echo()

    private func start(
        _ change: (inout HTTPServer.Configuration) -> Void = { _ in }
    ) throws -> (server: HTTPServer, port: UInt16) {
        var configuration = HTTPServer.Configuration()
        configuration.port = 0
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = HTTPServer(configuration, handler: echo, metrics: MetricsRegistry(), logger: logger)
        return (server, try server.listen().port)
    }

    private static func head(_ path: String, _ length: Int) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\n"
    }

    @Test("A client that sends the whole body before it reads gets the whole response, far above the buffers' size")
    func sendsFirst() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        let count = 300_000
        await client.send(Self.head("/", count))
        await client.send([UInt8](repeating: 7, count: count))
        let response = await client.response()
        #expect(response?.body.count == 100 * count && response?.body.allSatisfy { $0 == 7 } == true)
        // The connection serves the next request.
        await client.send(Self.head("/count", 3) + "abc")
        #expect(await client.response()?.body == Array("3".utf8))
        await server.drain(limit: .zero)
    }

    @Test("A body far above the limit of other requests is counted, in chunks too")
    func large() async throws {
        let (server, port) = try start { $0.limits.bodyBytes = 1000 }
        let client = try RawClient(port: port)
        await client.send(Self.head("/count", 20_000_000))
        await client.send([UInt8](repeating: 7, count: 20_000_000))
        #expect(await client.response()?.body == Array("20000000".utf8))
        await client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<50 {
            await client.send(Array("10000\r\n".utf8) + [UInt8](repeating: 1, count: 65_536) + [13, 10])
        }
        await client.send("0\r\n\r\n")
        #expect(await client.response()?.body == Array("3276800".utf8))
        await server.drain(limit: .zero)
    }

    @Test("A client may wait for the response to each piece before it sends the next")
    func pingPong() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        var received = ""
        for letter in ["a", "b", "c"] {
            await client.send("1\r\n\(letter)\r\n")
            while !received.contains(letter + letter) {
                received += String(decoding: try #require(await client.receive()), as: UTF8.self)
            }
        }
        await client.send("0\r\n\r\n")
        while !received.hasSuffix("0\r\n\r\n") {
            received += String(decoding: try #require(await client.receive()), as: UTF8.self)
        }
        await server.drain(limit: .zero)
    }

    @Test("A truncated body gives the handler an error, and its response is sent")
    func truncated() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send(Self.head("/count", 10) + "half")
        client.closeSending()
        let response = await client.response()
        #expect(response?.status == 400 && response?.body == Array("4".utf8))
        #expect(await client.isClosed())
        await server.drain(limit: .zero)
    }

    @Test("A handler that does not want the body is answered, and the client can still read the response")
    func refused() async throws {
        let (server, port) = try start()
        let client = try RawClient(port: port)
        await client.send(Self.head("/refuse", 3_000_000))
        await client.send(Array(repeating: 0, count: 3_000_000))
        #expect(await client.response()?.status == 422)
        #expect(await client.isClosed())
        await server.drain(limit: .zero)
    }

    @Test("When the client disconnects, the handler's body ends with an error")
    func disconnected() async throws {
        let (server, port) = try start()
        var client: RawClient? = try RawClient(port: port)
        await client?.send(Self.head("/slow", 100) + "some")
        await echo.consumed.wait()
        client = nil
        await echo.failed.wait()
        await server.drain(limit: .zero)
    }

    @Test("A body that stalls ends with a timeout")
    func stalled() async throws {
        let (server, port) = try start { $0.deadlines.body = .milliseconds(200) }
        let client = try RawClient(port: port)
        await client.send(Self.head("/count", 10) + "half")
        let response = await client.response()
        #expect(response?.status == 408 && response?.body == Array("4".utf8))
        await server.drain(limit: .zero)
    }
}
