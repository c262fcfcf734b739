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

/// The service from request to response, without a socket.
@Suite struct ServiceTests {
    private let png = PNG.encode(Image(height: 20, width: 30, channels: 1, samples: (0..<600).map { Float($0) / 600 }))

    /// A service for the uncalibrated models `names`.
    private func service(
        _ names: [String] = ["gray-pad"],
        _ change: (inout InferenceService.Configuration) -> Void = { _ in }
    ) throws -> DocumentedService {
        let directories = try names.map { try ModelDirectory(path: ReferenceModels.folder($0).path) }
        return try service(directories, change)
    }

    private func service(
        _ directories: [ModelDirectory],
        _ change: (inout InferenceService.Configuration) -> Void = { _ in }
    ) throws -> DocumentedService {
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) { directories }
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = directories[0].manifest.name
        change(&configuration)
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return DocumentedService(engine, configuration, metrics: metrics, logger: logger)
    }

    private func post(_ path: String, _ body: [UInt8]? = nil, query: String = "", type: String? = "image/png")
        -> Request
    {
        var headers: HeaderFields = ["Host": "a", "Content-Length": String((body ?? png).count)]
        if let type { headers.append("Content-Type", type) }
        let head = RequestHead(method: "POST", path: path, rawQuery: query, headers: headers)
        return Request(head: head, body: body ?? png)
    }

    private func get(_ path: String, method: String = "GET") -> Request {
        Request(head: RequestHead(method: method, path: path, headers: ["Host": "a"]))
    }

    private func json(_ response: Response) throws -> [String: JSONValue] {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        guard case .object(let members) = value else { throw CocoaError(.coderInvalidValue) }
        return members
    }

    @Test("Verifying a model without a golden set fails with a message")
    func verifyWithoutGolden() async throws {
        let response = try await service().respond(to: post("/v1/models/gray-pad/verify", []))
        #expect(response.status == 422 && String(decoding: response.body, as: UTF8.self).contains("golden set"))
        #expect(response.headers["cache-control"] == "no-store")
    }

    @Test("Without a calibration the members of the verdict are null, not absent")
    func uncalibrated() async throws {
        let response = try await service().respond(to: post("/v1/score"))
        #expect(response.status == 200 && response.headers["content-type"] == "application/json")
        #expect(response.headers["cache-control"] == "no-store")
        let object = try json(response)
        for member in ["score", "p_value", "anomalous", "threshold", "verdict", "input_check", "rendering"] {
            #expect(object[member] == .null)
        }
        guard case .number(let normality) = object["normality"], case .object(let parts) = object["components"],
            case .array(let contrastive) = parts["contrastive"], case .array(let shift) = parts["shift"]
        else {
            Issue.record("members are missing")
            return
        }
        let sum = (contrastive + shift).reduce(0.0) { if case .number(let x) = $1 { $0 + x } else { .nan } }
        #expect(contrastive.count == 4 && shift.count == 4 && abs(sum / 4 - normality) < 1e-9)
        let image: [String: JSONValue] = [
            "width": .number(30), "height": .number(20), "bit_depth": .number(8), "color": .string("gray"),
            "warnings": .array([]),
        ]
        #expect(object["image"] == .object(image))
    }

    @Test("With a calibration the verdict is derived from the normality")
    func calibrated() async throws {
        try await withTemporaryFolder { folder in
            let plain = try json(try await service().respond(to: post("/v1/score")))
            guard case .number(let normality) = plain["normality"] else {
                Issue.record("expected a numeric normality")
                return
            }
            // 19 values, one of them below the image's, so p = 2 / 20.
            let values = (0..<19).map { Float(normality) + ($0 == 0 ? -1 : Float($0)) }
            let place = folder.appendingPathComponent("m")
            try ReferenceModels.calibrated("gray-pad", in: place, normality: values, alpha: 0.1)
            let object = try json(
                try await service([ModelDirectory(path: place.path)]).respond(to: post("/v1/models/gray-pad/score"))
            )
            #expect(object["p_value"] == .number(0.1) && object["anomalous"] == .bool(true))
            #expect(object["verdict"] == .string("anomalous") && object["input_check"] == .null)
            guard case .object(let threshold) = object["threshold"], case .number(let score) = object["score"] else {
                Issue.record("expected a threshold object and a numeric score")
                return
            }
            #expect(threshold["normality"] == .number(Double(values[1])) && score > 0.5 && score < 1)
        }
    }

    @Test("The same image gives the same result, alone or under load")
    func repeatable() async throws {
        let service = try service()
        func object() async throws -> [String: JSONValue] {
            var object = try json(await service.respond(to: post("/v1/score")))
            object["request_id"] = nil
            return object
        }
        let alone = try await object()
        try await withThrowingTaskGroup(of: [String: JSONValue].self) { group in
            for _ in 0..<12 { group.addTask { try await object() } }
            for try await other in group {
                guard case .number(let a) = alone["normality"], case .number(let b) = other["normality"] else {
                    Issue.record("expected a numeric normality in both responses")
                    return
                }
                #expect(abs(a - b) < 1e-4)
            }
        }
    }

    @Test("One step gives an image of the input's size; several give a strip that starts with the input")
    func dissolving() async throws {
        let service = try service()
        let one = await service.respond(to: post("/v1/dissolve", query: "t=200"))
        #expect(one.status == 200 && one.headers["content-type"] == "image/png")
        let single = try PNG.decode(one.body, maximumPixels: 10_000).image
        #expect(single.height == 20 && single.width == 30)
        let several = await service.respond(to: post("/v1/models/gray-pad/dissolve", query: "t=50,200"))
        let strip = try PNG.decode(several.body, maximumPixels: 10_000).image
        #expect(strip.height == 20 && strip.width == 90)
        let input = try PNG.decode(png, maximumPixels: 10_000).image
        #expect((0..<20).allSatisfy { row in (0..<30).allSatisfy { strip[row, $0] == input[row, $0] } })
        #expect((0..<20).allSatisfy { row in (0..<30).allSatisfy { strip[row, 60 + $0] == single[row, $0] } })
    }

    @Test("A map of the score has the input's size, if the score has one, and the metadata say so")
    func scoreMap() async throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Models")
        let service = try service([ModelDirectory(path: folder.appendingPathComponent("pneumonia").path)])
        let over = await service.respond(to: post("/v1/heatmap", query: "of=score"))
        let colors = try PNG.decode(over.body, maximumPixels: 10_000).image
        #expect(over.status == 200 && (colors.height, colors.width, colors.channels) == (20, 30, 3))
        let plain = await service.respond(to: post("/v1/heatmap", query: "of=score&overlay=false"))
        let map = try PNG.decode(plain.body, maximumPixels: 10_000).image
        #expect((map.height, map.width, map.channels) == (20, 30, 1) && map.samples.contains { $0 > 0.5 })
        let dissolving = await service.respond(to: post("/v1/heatmap", query: "of=dissolve&overlay=false"))
        #expect(dissolving.status == 200 && dissolving.body != plain.body)
        let metadata = try json(await service.respond(to: get("/v1/models/pneumonia")))
        guard case .object(let score)? = metadata["score"] else { throw CocoaError(.coderInvalidValue) }
        #expect(score["map"] == .bool(true))
    }

    @Test("A heat map has the input's size, is overlaid in color or plain, and is brightest at the largest change")
    func heatMap() async throws {
        let service = try service()
        let over = await service.respond(to: post("/v1/heatmap", query: "t=300"))
        #expect(over.status == 200 && over.headers["content-type"] == "image/png")
        let colors = try PNG.decode(over.body, maximumPixels: 10_000).image
        #expect(colors.height == 20 && colors.width == 30 && colors.channels == 3)
        let plain = await service.respond(to: post("/v1/models/gray-pad/heatmap", query: "overlay=false&t=300"))
        let map = try PNG.decode(plain.body, maximumPixels: 10_000).image
        #expect(map.height == 20 && map.width == 30 && map.channels == 1)
        let hottest = try #require(map.samples.max())
        #expect(hottest > 0.5 && hottest <= 1)
        // Where nothing changed, the overlay shows the image itself; where much changed, it is red.
        let input = try PNG.decode(png, maximumPixels: 10_000).image
        for pixel in 0..<600 {
            let (red, blue) = (colors.samples[3 * pixel], colors.samples[3 * pixel + 2])
            #expect(red >= input.samples[pixel] - 0.01 && blue <= input.samples[pixel] + 0.01)
            if map.samples[pixel] < 0.004 { #expect(abs(red - input.samples[pixel]) < 0.02) }
        }
    }

    @Test("Color images are converted for a gray model, and gray images for a color model")
    func colors() async throws {
        let service = try service(["gray-pad", "rgb-resize"])
        let colour = PNG.encode(Image(height: 4, width: 4, channels: 3, filledWith: 0.5))
        for (model, channels) in [("gray-pad", 1), ("rgb-resize", 3)] {
            for body in [colour, png] {
                #expect(await service.respond(to: post("/v1/models/\(model)/score", body)).status == 200)
                let answer = await service.respond(to: post("/v1/models/\(model)/dissolve", body))
                #expect(try PNG.decode(answer.body, maximumPixels: 10_000).image.channels == channels)
            }
        }
    }

    @Test("multipart/form-data with one part 'image' is equivalent to the bare image")
    func multipart() async throws {
        let service = try service()
        func form(_ parts: [(String, [UInt8])], end: String = "--b--\r\n") -> [UInt8] {
            parts.flatMap { name, body in
                Array("--b\r\nContent-Disposition: form-data; name=\"\(name)\"; filename=\"x.png\"\r\n\r\n".utf8) + body
                    + Array("\r\n".utf8)
            } + Array(end.utf8)
        }
        func status(_ body: [UInt8], _ type: String = "multipart/form-data; boundary=b") async -> Int {
            await service.respond(to: post("/v1/score", body, type: type)).status
        }
        #expect(await status(form([("image", png)])) == 200)
        #expect(await status(form([("image", png)]), "Multipart/Form-Data; boundary=\"b\"") == 200)
        #expect(await status(Array("preamble\r\n".utf8) + form([("image", png)])) == 200)
        #expect(await status(form([("picture", png)])) == 400)
        // Quoted text that looks like a parameter is not one.
        #expect(await status(form([("picture\"; x=\"; name=image; ", png)])) == 400)
        #expect(await status(form([("image", png), ("image", png)])) == 400)
        #expect(await status(form([("image", [])])) == 400)
        #expect(await status(form([])) == 400)
        #expect(await status(form([("image", png)], end: "")) == 400)
        #expect(await status(Array(form([("image", png)]).dropLast(40))) == 400)
        #expect(await status(form([("image", png)]), "multipart/form-data") == 400)
        #expect(await status([], "multipart/form-data; boundary=b") == 400)
    }

    @Test("A request that cannot be served gets a problem response with its status")
    func problems() async throws {
        let service = try service { $0.maximumPixels = 1000 }
        let large = PNG.encode(Image(height: 40, width: 40, channels: 1))
        let cases: [(Request, Int)] = [
            (get("/nothing"), 404), (get("/\u{301}/livez"), 404), (get("/v1/models/nobody"), 404),
            (post("/v1/models/nobody/score"), 404),
            (get("/v1/models/gray-pad/nothing"), 404), (get("/v1//score"), 404), (get("/v1/score"), 405),
            (post("/v1/models"), 405), (get("/livez", method: "TRACE"), 405), (get("/livez", method: "DELETE"), 405),
            (
                Request(head: RequestHead(method: "POST", path: "/v1/score", headers: ["Content-Type": "image/png"])),
                411
            ),
            (post("/v1/score", []), 400), (post("/v1/score", type: "image/jpeg"), 415),
            (post("/v1/score", Array("text".utf8), type: nil), 415), (post("/v1/score//"), 404), (get("//"), 404),
            (post("/v1/score", [], type: nil), 415), (get("/v1/score", method: "QUERY"), 405),
            (get("/v1/models", method: "PROPFIND"), 405), (get("/livez/", method: "PATCH"), 405),
            (post("/v1/score", Array(png.dropLast(30))), 400), (post("/v1/score", Array("text".utf8)), 400),
            (post("/v1/score", large), 413), (post("/v1/dissolve", query: "t=50,100"), 422),
            (post("/v1/dissolve", query: "t=+50"), 400), (post("/v1/dissolve", query: "t=%2B50,-0"), 400),
            (post("/v1/dissolve", query: "t="), 400), (post("/v1/dissolve", query: "t=1000"), 400),
            (post("/v1/dissolve", query: "t=-1"), 400), (post("/v1/dissolve", query: "t=1,,2"), 400),
            (post("/v1/dissolve", query: "t=1&t=2"), 400), (post("/v1/dissolve", query: "s=1"), 400),
            (post("/v1/dissolve", query: "t=99999999999999999999"), 400),
            (post("/v1/dissolve", query: "overlay=false"), 400), (post("/v1/heatmap", query: "t=1,2"), 400),
            (post("/v1/heatmap", query: "overlay=no"), 400),
            (post("/v1/heatmap", query: "of=x"), 400), (post("/v1/heatmap", query: "of=score&t=5"), 400),
            (post("/v1/dissolve", query: "of=score"), 400), (post("/v1/heatmap", query: "of=score"), 422),
            (post("/v1/heatmap", query: "overlay=true&overlay=true"), 400),
            (post("/v1/heatmap", query: "t=50&s=1"), 400), (post("/v1/heatmap", []), 400), (get("/v1/heatmap"), 405),
            (post("/v1/dissolve", query: "t=" + Array(repeating: "1", count: 17).joined(separator: ",")), 400),
        ]
        for (request, status) in cases {
            let response = await service.respond(to: request)
            let name = "\(request.head.method) \(request.head.path)?\(request.head.rawQuery)"
            #expect(response.status == status, "\(name)")
            #expect(response.headers["content-type"] == "application/problem+json")
            let problem = try json(response)
            #expect(problem["status"] == .number(Double(status)) && problem["detail"] == problem["error"])
            #expect(problem["request_id"] == response.headers["x-request-id"].map { .string($0) })
            if status == 405 { #expect(response.headers["allow"] != nil) }
        }
    }

    @Test(
        "A valid request ID is echoed, and an invalid one is replaced",
        arguments: [("abc-1", true), ("a b", false), ("", false), (String(repeating: "x", count: 129), false)]
    )
    func requestIDs(_ given: String, isTaken: Bool) async throws {
        var request = get("/livez")
        request.head.headers.append("X-Request-ID", given)
        let answered = try await service().respond(to: request).headers["x-request-id"]
        #expect((answered == given) == isTaken && answered?.isEmpty == false)
    }

    @Test("Readiness ends when draining begins; liveness does not")
    func draining() async throws {
        let service = try service()
        #expect(await service.respond(to: get("/readyz")).status == 200)
        service.beginDraining()
        #expect(await service.respond(to: get("/readyz")).status == 503)
        #expect(await service.respond(to: get("/livez")).status == 200)
        #expect(await service.respond(to: post("/v1/score")).status == 200)
    }

    @Test("The model list describes each model and marks the default")
    func models() async throws {
        let object = try json(try await service(["gray-pad", "rgb-resize"]).respond(to: get("/v1/models")))
        guard case .array(let models) = object["models"], case .object(let first) = models.first else {
            Issue.record("expected a list of models")
            return
        }
        #expect(models.count == 2 && first["name"] == .string("gray-pad") && first["default"] == .bool(true))
        #expect(first["notice"] == .string("Research use only, not for diagnosis."))
    }

    @Test("Without a default model the path must name a model")
    func noDefault() async throws {
        let service = try service(["gray-pad", "rgb-resize"]) { $0.defaultModel = nil }
        #expect(await service.respond(to: post("/v1/score")).status == 404)
        #expect(await service.respond(to: post("/v1/models/gray-pad/score")).status == 200)
    }

    @Test("Metrics count requests by route and contain no path, name or ID from the client")
    func metrics() async throws {
        let service = try service()
        _ = await service.respond(to: post("/v1/score"))
        _ = await service.respond(to: get("/patient/Jane%20Roe"))
        let text = String(decoding: await service.respond(to: get("/metrics")).body, as: UTF8.self)
        #expect(text.contains("dia_http_requests_total{method=\"POST\",route=\"/v1/score\",code=\"200\"} 1\n"))
        #expect(text.contains("dia_http_requests_total{method=\"GET\",route=\"other\",code=\"404\"} 1\n"))
        #expect(text.contains("dia_batch_size_count 1\n") && text.contains("dia_model_info{model=\"gray-pad\""))
        #expect(!text.contains("Jane"))
    }

    @Test(
        "A header with an impossible size is rejected, whatever the numbers",
        arguments: [
            (UInt32.max, UInt32.max), (UInt32.max, 1), (25_000_000, 1), (1, 25_000_000), (0, 0),
            (0x8000_0000, 0x8000_0000),
        ] as [(UInt32, UInt32)]
    )
    func impossibleSizes(_ width: UInt32, _ height: UInt32) async throws {
        func bytes(_ number: UInt32) -> [UInt8] { (0..<4).reversed().map { UInt8(number >> (8 * $0) & 255) } }
        let start: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A] + bytes(13) + Array("IHDR".utf8)
        let png = start + bytes(width) + bytes(height) + [8, 0, 0, 0, 0, 1, 2, 3, 4]
        let service = try service()
        let text = Data(png).base64EncodedString()
        let body = "{\"inputs\":[{\"name\":\"image\",\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"\(text)\"]}]}"
        for (path, type, body) in [
            ("/v1/score", "image/png", png), ("/v1/heatmap", "image/png", png),
            ("/v2/models/gray-pad/infer", "application/json", Array(body.utf8)),
        ] {
            let headers: HeaderFields = ["Host": "a", "Content-Type": type, "Content-Length": String(body.count)]
            let head = RequestHead(method: "POST", path: path, headers: headers)
            let status = await service.respond(to: Request(head: head, body: body)).status
            #expect([400, 413].contains(status), "\(path): \(status)")
        }
    }
}
