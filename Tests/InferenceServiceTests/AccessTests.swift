import Codecs
import Foundation
import HTTP
import Imaging
import Engine
import InferenceService
import Logging
import Metrics
import ModelFile
import TestSupport
import Testing

/// Authentication, rate limits, cross-origin access, and response headers.
@Suite struct AccessTests {
    private static let png = PNG.encode(Image(height: 8, width: 8, channels: 1, filledWith: 0.5))

    private static let keys: APIKeys = {
        let lines = [
            APIKeys.Key(name: "pacs", scopes: [.score], rate: nil, secret: "pacs-secret"),
            APIKeys.Key(name: "ops", scopes: [.metrics, .admin], rate: nil, secret: "ops-secret"),
            APIKeys.Key(name: "slow", scopes: [.score], rate: 2, secret: "slow-secret"),
        ].map(\.line)
        do {
            return try APIKeys(parsing: lines.joined(separator: "\n"))
        } catch {
            preconditionFailure("\(error)")
        }
    }()

    private func service(_ change: (inout InferenceService.Configuration) -> Void = { _ in }) throws
        -> DocumentedService
    {
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("gray-pad").path)]
        }
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = "gray-pad"
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return DocumentedService(engine, configuration, metrics: metrics, logger: logger)
    }

    private func head(_ method: String, _ path: String, _ headers: [(String, String)] = []) -> RequestHead {
        var fields: HeaderFields = ["Host": "a"]
        for (name, value) in headers { fields.append(name, value) }
        return RequestHead(method: method, path: path, headers: fields)
    }

    private func post(_ path: String, _ headers: [(String, String)], body: [UInt8] = png) -> Request {
        let more = [("Content-Type", "image/png"), ("Content-Length", String(body.count))]
        return Request(head: head("POST", path, headers + more), body: body)
    }

    private func bearer(_ secret: String) -> (String, String) { ("Authorization", "Bearer \(secret)") }

    @Test("A key grants access according to its scopes; health, the OpenAPI document and the page need no key")
    func scopes() async throws {
        let service = try service { $0.keys = Self.keys }
        for path in ["/openapi.yaml", "/"] { #expect(service.earlyResponse(to: head("GET", path)) == nil) }
        for path in ["/livez", "/readyz"] { #expect(service.earlyResponse(to: head("GET", path))?.status == 200) }
        let none = try #require(service.earlyResponse(to: head("GET", "/v1/models")))
        #expect(none.status == 401 && none.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [bearer("pacs-secret")])) == nil)
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [("Authorization", "bearer  pacs-secret")])) == nil)
        for wrong in ["pacs-secre", "pacs-secret2", "", "PACS-SECRET", "ops-secret x"] {
            #expect(service.earlyResponse(to: head("GET", "/v1/models", [bearer(wrong)]))?.status == 401, "\(wrong)")
        }
        let basic = ("Authorization", "Basic cGFjcy1zZWNyZXQ=")
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [basic])) != nil)
        let twice = [bearer("pacs-secret"), bearer("pacs-secret")]
        #expect(service.earlyResponse(to: head("GET", "/v1/models", twice))?.status == 401)
        #expect(service.earlyResponse(to: head("GET", "/metrics", [bearer("pacs-secret")]))?.status == 403)
        #expect(service.earlyResponse(to: head("GET", "/metrics", [bearer("ops-secret")]))?.status == 200)
        #expect(service.earlyResponse(to: head("POST", "/v1/reload", [bearer("pacs-secret")]))?.status == 403)
        #expect(service.earlyResponse(to: head("POST", "/v1/reload", [bearer("ops-secret")])) == nil)
        // Clients without a key learn nothing about the models.
        #expect(service.earlyResponse(to: head("GET", "/v1/models/none"))?.status == 401)
        #expect(service.earlyResponse(to: head("GET", "/v1/models/none", [bearer("pacs-secret")]))?.status == 404)
        // A request rejected by its head is also rejected by `respond`.
        #expect(await service.respond(to: post("/v1/score", [])).status == 401)
        #expect(await service.respond(to: post("/v1/score", [bearer("pacs-secret")])).status == 200)
    }

    @Test("A key over its rate limit gets 429 with Retry-After; other keys are not affected")
    func rate() throws {
        let service = try service { $0.keys = Self.keys }
        let answers = (0..<4).map { _ in service.earlyResponse(to: head("GET", "/v1/models", [bearer("slow-secret")])) }
        #expect(answers.map { $0?.status } == [nil, nil, 429, 429])
        #expect(answers[2]?.headers["retry-after"] == "1")
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [bearer("pacs-secret")])) == nil)
    }

    @Test("New keys take effect as soon as they replace the old ones")
    func replaced() throws {
        let service = try service { $0.keys = Self.keys }
        let key = APIKeys.Key(name: "new", scopes: [.score], rate: nil, secret: "new-secret")
        service.replace(keys: try APIKeys(parsing: key.line))
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [bearer("pacs-secret")]))?.status == 401)
        #expect(service.earlyResponse(to: head("GET", "/v1/models", [bearer("new-secret")])) == nil)
    }

    @Test(
        "An invalid key file is an error that says what is wrong",
        arguments: [
            ("a score", "line 1"), ("# x\n\na score sha256:12", "line 3"), ("a fly sha256:\(digest)", "fly"),
            ("a, score sha256:\(digest)", "name"), ("a score sha256:\(digest) rate=0", "rate"),
            ("a score sha256:\(digest) rate=x", "rate"), ("a score sha256:\(digest) rate=nan", "rate"),
            ("a score sha256:\(digest)\na score sha256:\(digest.dropLast())1", "second key"),
            ("a score sha256:\(digest)\nb score sha256:\(digest)", "earlier line"), ("", "not contain a key"),
            ("# nobody", "not contain a key"),
            ("a score, sha256:\(digest)", "scope"), ("a score sha256:\(digest) rate=1 more", "line 1"),
        ]
    )
    func brokenKeys(_ text: String, part: String) {
        #expect { try APIKeys(parsing: text) } throws: { "\($0)".contains(part) }
    }

    private static let digest = String(repeating: "0", count: 64)

    @Test("A key file may have comments, empty lines and any line endings")
    func keyFile() throws {
        let text = "# keys\r\n\r\n  a\tscore,metrics  sha256:\(Self.digest) rate=0.5 \r\n"
        let keys = try APIKeys(parsing: text).keys
        #expect(keys.count == 1 && keys[0].scopes == [.score, .metrics] && keys[0].rate == 0.5)
        #expect(try APIKeys(parsing: keys[0].line).keys == keys)
    }

    @Test("Pages from other origins may call only if their origin is allowed")
    func origins() async throws {
        let closed = try await service().respond(to: Request(head: head("GET", "/livez", [("Origin", "https://a")])))
        #expect(closed.headers["access-control-allow-origin"] == nil)
        let open = try service { $0.origins = ["https://a"] }
        let named = await open.respond(to: Request(head: head("GET", "/livez", [("Origin", "https://a")])))
        #expect(named.headers["access-control-allow-origin"] == "https://a" && named.headers["vary"] == "Origin")
        let other = await open.respond(to: Request(head: head("GET", "/livez", [("Origin", "https://b")])))
        #expect(other.headers["access-control-allow-origin"] == nil)
        let asked = [("Origin", "https://a"), ("Access-Control-Request-Method", "POST")]
        let preflight = await open.respond(to: Request(head: head("OPTIONS", "/v1/score", asked)))
        #expect(preflight.status == 204 && preflight.headers["access-control-allow-methods"] == "POST, OPTIONS")
        #expect(preflight.headers["access-control-allow-headers"]?.contains("Authorization") == true)
    }

    @Test("The page runs only its own script and style")
    func policy() async throws {
        let page = try await service().respond(to: Request(head: head("GET", "/")))
        let policy = try #require(page.headers["content-security-policy"])
        #expect(policy.contains("default-src 'none'") && policy.contains("script-src 'sha256-"))
        #expect(!policy.contains("unsafe"))
        #expect(page.headers["x-content-type-options"] == "nosniff")
        // The policy would block style and event handler attributes.
        let text = String(decoding: page.body, as: UTF8.self)
        #expect(!text.contains("style=") && !text.contains("onclick=") && !text.contains("onload="))
    }

    @Test("Text is compressed if the client accepts it and it saves space")
    func packedAnswers() async throws {
        let service = try service()
        let plain = await service.respond(to: Request(head: head("GET", "/openapi.yaml")))
        #expect(plain.headers["content-encoding"] == nil && plain.headers["vary"] == "Accept-Encoding")
        for accepted in ["gzip", "br, GZIP;q=0.5", "*", "deflate, x-gzip"] {
            let fields = [("Accept-Encoding", accepted)]
            let packed = await service.respond(to: Request(head: head("GET", "/openapi.yaml", fields)))
            #expect(packed.headers["content-encoding"] == "gzip", "\(accepted)")
            #expect(try Gzip.decompress(packed.body, limit: 1 << 20, ratio: 1000) == plain.body)
        }
        for refused in ["gzip;q=0", "br", "*;q=0", "identity", "gzip; q=0.000, *"] {
            let fields = [("Accept-Encoding", refused)]
            let answer = await service.respond(to: Request(head: head("GET", "/openapi.yaml", fields)))
            #expect(answer.headers["content-encoding"] == nil, "\(refused)")
        }
        let small = await service.respond(to: Request(head: head("GET", "/livez", [("Accept-Encoding", "gzip")])))
        #expect(small.headers["content-encoding"] == nil)
    }

    @Test("Compressed bodies are decompressed within limits")
    func packedBodies() async throws {
        let service = try service { $0.bodyBytes = 1 << 20 }
        let packed = [("Content-Encoding", "gzip")]
        let good = await service.respond(to: post("/v1/score", packed, body: Gzip.compress(Self.png)))
        #expect(good.status == 200)
        let broken = await service.respond(to: post("/v1/score", packed, body: Self.png))
        #expect(broken.status == 400)
        let bomb = Gzip.compress(Array(repeating: 0, count: 50 << 20))
        #expect(await service.respond(to: post("/v1/score", packed, body: bomb)).status == 413)
        let unknown = await service.respond(to: post("/v1/score", [("Content-Encoding", "br")]))
        #expect(unknown.status == 415 && unknown.headers["accept-encoding"] == "gzip, deflate")
        let twice = await service.respond(to: post("/v1/score", [("Content-Encoding", "gzip, gzip")]))
        #expect(twice.status == 415)
    }

    @Test("A trace continues from the caller's span to a new one")
    func tracing() async throws {
        let service = try service()
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let given = "00-\(trace)-00f067aa0ba902b7-01"
        let answer = await service.respond(to: Request(head: head("GET", "/livez", [("traceparent", given)])))
        let field = try #require(answer.headers["traceparent"])
        #expect(field.hasPrefix("00-\(trace)-") && field.hasSuffix("-01") && field != given && field.utf8.count == 55)
        for wrong in [
            "", "00", "ff-\(trace)-00f067aa0ba902b7-01", "00-\(trace)-0000000000000000-01",
            "00-\(String(repeating: "0", count: 32))-00f067aa0ba902b7-01", "00-\(trace)-00f067aa0ba902b7-01-x",
            "00-\(trace.uppercased())-00f067aa0ba902b7-01",
        ] {
            let answer = await service.respond(to: Request(head: head("GET", "/livez", [("traceparent", wrong)])))
            #expect(answer.headers["traceparent"] == nil, "\(wrong)")
        }
    }

    @Test("A request may set its own timeout")
    func timeout() async throws {
        let service = try service()
        #expect(await service.respond(to: post("/v1/score", [("X-Request-Timeout", "20")])).status == 200)
        let late = await service.respond(to: post("/v1/score", [("X-Request-Timeout", "0.000001")]))
        #expect(late.status == 503 && late.headers["retry-after"] != nil)
        for wrong in ["0", "-1", "soon", "nan", "inf", ""] {
            let answer = service.earlyResponse(to: post("/v1/score", [("X-Request-Timeout", wrong)]).head)
            #expect(answer?.status == 400, "\(wrong)")
        }
    }

    @Test("A response about an image reports its timing")
    func serverTiming() async throws {
        let answer = try await service().respond(to: post("/v1/score", []))
        let timing = try #require(answer.headers["server-timing"])
        for part in ["decode;dur=", "queue;dur=", "inference;dur=", "total;dur="] { #expect(timing.contains(part)) }
    }

    @Test(
        "A request that its head already rules out is rejected before its body arrives",
        arguments: [
            ("POST", "/nothing", "image/png", 404), ("PUT", "/v1/score", "image/png", 405),
            ("POST", "/v1/score", "text/plain", 415), ("POST", "/v1/models/none/score", "image/png", 404),
            ("POST", "/v1/score", "multipart/form-data", 400),
        ]
    )
    func early(_ method: String, _ path: String, _ type: String, status: Int) throws {
        let fields = [("Content-Type", type), ("Content-Length", "1000")]
        #expect(try service().earlyResponse(to: head(method, path, fields))?.status == status)
    }
}
