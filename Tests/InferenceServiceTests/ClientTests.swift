import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import Logging
import Metrics
import ModelFile
import TestSupport
import Testing

/// Requests as common clients write them, and what is logged about those that fail.
@Suite struct ClientTests {
    private static let png = PNG.encode(Image(height: 8, width: 8, channels: 1, filledWith: 0.5))
    private let log = MemoryLog()

    private func service() throws -> DocumentedService {
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("gray-pad").path)]
        }
        var configuration = InferenceService.Configuration()
        configuration.timeoutSeconds = 30
        let logger = Logger(label: "test") { [log] _ in log }
        return DocumentedService(engine, configuration, metrics: metrics, logger: logger)
    }

    private func post(
        _ path: String = "/v1/score",
        _ body: [UInt8] = png,
        query: String = "",
        _ fields: [(String, String)] = [("Content-Type", "image/png")]
    ) -> Request {
        var headers: HeaderFields = ["Host": "a", "Content-Length": String(body.count)]
        for (name, value) in fields { headers.append(name, value) }
        return Request(head: RequestHead(method: "POST", path: path, rawQuery: query, headers: headers), body: body)
    }

    private func form(_ parts: [(header: String, body: [UInt8])]) -> Request {
        let body = parts.flatMap { part in
            Array("--b\r\nContent-Disposition: form-data; \(part.header)\r\n\r\n".utf8) + part.body + Array("\r\n".utf8)
        }
        return post("/v1/score", body + Array("--b--\r\n".utf8), [("Content-Type", "multipart/form-data; boundary=b")])
    }

    private func json(_ response: Response) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
    }

    @Test(
        "A PNG is recognized by its signature if the Content-Type says nothing",
        arguments: [
            [], [""], ["application/octet-stream"], ["Application/Octet-Stream; charset=binary"],
            ["application/x-www-form-urlencoded"], ["image/x-png"], ["image/apng"], ["IMAGE/PNG"],
        ]
    )
    func undeclared(_ types: [String]) async throws {
        let service = try service()
        let fields = types.map { ("Content-Type", $0) }
        for path in ["/v1/score", "/v1/dissolve", "/v1/heatmap"] {
            #expect(await service.respond(to: post(path, Self.png, fields)).status == 200)
        }
        let packed = post("/v1/score", Gzip.compress(Self.png), fields + [("Content-Encoding", "gzip")])
        #expect(await service.respond(to: packed).status == 200)
    }

    @Test("Without a PNG such a request gets 415, and other types get it before the body is read")
    func notPNG() async throws {
        let service = try service()
        for types in [[], ["application/octet-stream"], ["application/x-www-form-urlencoded"]] {
            let fields = types.map { ("Content-Type", $0) }
            for body in [[], Array(Self.png.dropFirst()), Array("image=1".utf8)] {
                let request = post("/v1/score", body, fields)
                #expect(service.earlyResponse(to: request.head) == nil)
                let response = await service.respond(to: request)
                #expect(response.status == 415 && response.headers["accept"] == "image/png, multipart/form-data")
            }
        }
        for types in [["image/jpeg"], ["image/png", "image/png"], ["text/plain"]] {
            let fields = types.map { ("Content-Type", $0) }
            #expect(service.earlyResponse(to: post("/v1/score", Self.png, fields).head)?.status == 415)
        }
        var withoutLength = post("/v1/score", Self.png, []).head
        withoutLength.headers = ["Host": "a"]
        #expect(service.earlyResponse(to: withoutLength)?.status == 411)
    }

    @Test(
        "A slash at the end of a path names the same resource",
        arguments: [
            "/v1/models/", "/v1/models/gray-pad/", "/v2/", "/v2/models/gray-pad/ready/", "/livez/", "/readyz/",
            "/metrics/",
            "/openapi.yaml/",
        ]
    )
    func slash(_ path: String) async throws {
        let request = Request(head: RequestHead(method: "GET", path: path, headers: ["Host": "a"]))
        #expect(try await service().respond(to: request).status == 200)
        #expect(Route(path: path) == Route(path: String(path.dropLast())))
        #expect(Route(path: path + "/") == nil && Route(path: "/" + path) == nil)
    }

    @Test("Another method on a known path is 405 with Allow, and on an unknown path 404")
    func methods() throws {
        let service = try service()
        for method in ["QUERY", "PUT", "PATCH", "DELETE", "PROPFIND", "TRACE", "LOCK"] {
            for (path, allowed) in [("/v1/score", "POST, OPTIONS"), ("/livez/", "GET, HEAD, OPTIONS")] {
                let response = service.earlyResponse(
                    to: RequestHead(method: method, path: path, headers: ["Host": "a"])
                )
                #expect(response?.status == 405 && response?.headers["allow"] == allowed, "\(method) \(path)")
            }
            let unknown = RequestHead(method: method, path: "/v1//score", headers: ["Host": "a"])
            #expect(service.earlyResponse(to: unknown)?.status == 404)
        }
    }

    @Test("Fields beside the image are ignored, and a form without an image is told what came")
    func fields() async throws {
        let service = try service()
        let image = (header: "name=\"image\"; filename=\"a.png\"", body: Self.png)
        let mixed = await service.respond(to: form([("name=token", [1]), image, ("name=\"image2\"", Self.png)]))
        let warnings = try json(mixed)["image"]["warnings"]
        #expect(mixed.status == 200)
        #expect(warnings == .array([.string("2 form fields other than 'image' were ignored")]))
        let missing = await service.respond(to: form([("name=\"Jane Roe\"", Self.png), ("name=\"b\"", [])]))
        #expect(missing.status == 400)
        #expect(try json(missing)["detail"]?.text?.contains("only 'Jane Roe', 'b'") == true)
        #expect(await service.respond(to: form([image, image])).status == 400)
        #expect(
            log.lines.withLock { $0.allSatisfy { !$0.contains("Jane") } && $0[0].contains("\"ignored_fields\": 2") }
        )
    }

    @Test("An image in base64 is decoded, and an unsupported transfer encoding is refused by its name")
    func transferEncodings() async throws {
        let service = try service()
        let text = Array(Data(Self.png).base64EncodedString(options: .lineLength76Characters).utf8)
        let base64 = form([("name=image\r\nContent-Transfer-Encoding: BASE64", text)])
        #expect(await service.respond(to: base64).status == 200)
        let invalid = form([("name=image\r\nContent-Transfer-Encoding: base64", Self.png)])
        #expect(await service.respond(to: invalid).status == 400)
        let other = await service.respond(to: form([("name=image\r\nContent-Transfer-Encoding: x-jane", text)]))
        #expect(other.status == 400)
        #expect(try json(other)["detail"]?.text?.contains("'x-jane'") == true)
        #expect(log.lines.withLock { $0.count == 3 && !$0[2].contains("jane") && $0[2].contains("Transfer-Encoding") })
    }

    @Test("A failed request is logged with its reason, without names, parameters or samples from the client")
    func reasons() async throws {
        let service = try service()
        var chunk: [UInt8] = Array(Self.png.prefix(33))
        chunk += [0, 0, 0, 0] + Array("JANE".utf8) + [0, 0, 0, 0] + Self.png.dropFirst(33)
        let deep = PNGBuilder.gray16(width: 1, samples: [54_321])
        let cases: [(Request, status: Int, part: String, absent: String)] = [
            (post("/v1/score", [], [("Content-Type", "image/jane")]), 415, "Content-Type is not supported", "jane"),
            (post("/v1/jane"), 404, "no such path", "jane"),
            (post("/v1/models/jane/score"), 404, "no such model", "jane"),
            (post("/v1/dissolve", query: "jane=1"), 400, "unknown parameter", "jane"),
            (post("/v1/dissolve", query: "t=jane"), 400, "'t' must be", "jane"),
            (post("/v1/heatmap", query: "of=jane"), 400, "'of' must be", "jane"),
            (post("/v1/score", chunk), 400, "not a valid PNG", "JANE"),
            (post("/v1/score", deep, query: "bits=12"), 422, "does not fit in 12 bits", "54321"),
            (post("/v1/score", Array(Self.png.dropLast(20))), 400, "truncated", "jane"),
        ]
        for (index, (request, status, part, absent)) in cases.enumerated() {
            #expect(await service.respond(to: request).status == status)
            let line = try #require(log.lines.withLock { $0.count == index + 1 ? $0[index] : nil })
            #expect(line.contains("\"reason\": ") && line.contains(part) && !line.contains(absent), "\(line)")
        }
        _ = await service.respond(to: post())
        #expect(log.lines.withLock { !$0[cases.count].contains("reason") })
        _ = service.errorResponse(for: RequestError(400, "Host is missing"))
        #expect(log.lines.withLock { $0[cases.count + 1].contains("Host is missing") })
    }

    @Test("Every 503 says when to send the request again")
    func unavailable() {
        let fields: [(HeaderFields, String)] = [([:], "1"), (["Retry-After": "60"], "60")]
        for (headers, seconds) in fields {
            let error = ServiceError(503, "the request was cancelled", headers: headers)
            #expect(error.response(requestID: "a").headers.all("retry-after") == [seconds])
        }
        #expect(!ServiceError(500, "a reason").response(requestID: "a").headers.contains("retry-after"))
    }

    @Test("The description of a model has the limits of its requests")
    func limits() async throws {
        let head = RequestHead(method: "GET", path: "/v1/models/gray-pad", headers: ["Host": "a"])
        let limits = try json(try await service().respond(to: Request(head: head)))["limits"]
        let defaults = InferenceService.Configuration()
        #expect(limits["body_bytes"] == .number(Double(defaults.bodyBytes)))
        #expect(limits["pixels"] == .number(Double(defaults.maximumPixels)))
        #expect(limits["batch_images"] == nil && limits["timeout_seconds"] == .number(30))
    }
}
