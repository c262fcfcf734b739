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

/// The Open Inference Protocol.
@Suite struct OpenInferenceTests {
    private let png = PNG.encode(Image(height: 9, width: 7, channels: 1, samples: (0..<63).map { Float($0) / 63 }))

    private func service(_ folder: URL = ReferenceModels.folder("gray-pad")) throws -> DocumentedService {
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = "gray-pad"
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) {
            [try ModelDirectory(path: folder.path)]
        }
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        return DocumentedService(engine, configuration, metrics: metrics, logger: logger)
    }

    private func object(_ response: Response) throws -> [String: JSONValue] {
        let value = try JSONDecoder().decode(JSONValue.self, from: Data(response.body))
        guard case .object(let members) = value else { throw CocoaError(.coderInvalidValue) }
        return members
    }

    private func get(_ path: String) -> Request {
        Request(head: RequestHead(method: "GET", path: path, headers: ["Host": "a"]))
    }

    private func infer(_ body: String, type: String = "application/json") -> Request {
        let headers: HeaderFields = ["Host": "a", "Content-Length": String(body.utf8.count), "Content-Type": type]
        let head = RequestHead(method: "POST", path: "/v2/models/gray-pad/infer", headers: headers)
        return Request(head: head, body: Array(body.utf8))
    }

    private func images(_ images: [[UInt8]], more: String = "") -> String {
        let data = images.map { "\"\(Data($0).base64EncodedString())\"" }.joined(separator: ", ")
        return """
            {"inputs": [{"name": "image", "datatype": "BYTES", "shape": [\(images.count)], "data": [\(data)]}]\(more)}
            """
    }

    /// The data of each output, by name.
    private func outputs(_ answer: [String: JSONValue]) -> [String: [JSONValue]] {
        guard case .array(let list) = answer["outputs"] else { return [:] }
        return list.reduce(into: [:]) { result, output in
            guard case .object(let members) = output, case .string(let name) = members["name"],
                case .array(let data) = members["data"]
            else { return }
            result[name] = data
        }
    }

    @Test("The server and the model report their metadata")
    func metadata() async throws {
        let service = try service()
        for path in ["/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/gray-pad/ready"] {
            #expect(await service.respond(to: get(path)).status == 200)
        }
        let model = try object(await service.respond(to: get("/v2/models/gray-pad")))
        let input: [String: JSONValue] = [
            "name": .string("image"), "datatype": .string("BYTES"), "shape": .array([.number(-1)]),
        ]
        #expect(model["name"] == .string("gray-pad") && model["inputs"] == .array([.object(input)]))
        #expect(await service.respond(to: get("/v2/models/nobody")).status == 404)
        #expect(await service.respond(to: get("/v2/models/nobody/ready")).status == 404)
        service.beginDraining()
        #expect(await service.respond(to: get("/v2/health/ready")).status == 503)
        #expect(await service.respond(to: get("/v2/health/live")).status == 200)
    }

    @Test("Any number of images gets the same scores as from /v1/score")
    func scores() async throws {
        let service = try service()
        let headers: HeaderFields = ["Content-Length": String(png.count), "Content-Type": "image/png"]
        let head = RequestHead(method: "POST", path: "/v1/score", headers: headers)
        let alone = try object(await service.respond(to: Request(head: head, body: png)))
        let other = PNG.encode(Image(height: 4, width: 4, channels: 1, filledWith: 0.3))
        let list = (0..<40).map { $0 == 7 ? png : other }
        let response = await service.respond(to: infer(images(list, more: ", \"id\": \"a\"")))
        #expect(response.status == 200 && response.headers["cache-control"] == "no-store")
        let answer = try object(response)
        #expect(answer["id"] == .string("a") && answer["model_name"] == .string("gray-pad"))
        let found = outputs(answer)
        guard case .number(let a) = alone["normality"], case .number(let b) = found["normality"]?[7] else {
            Issue.record("expected a numeric normality from both endpoints")
            return
        }
        #expect(abs(a - b) < 1e-4 && found["normality"]?.count == 40)
        // Without a calibration there is no score to report.
        #expect(Set(found.keys) == ["normality", "typical"] && found["typical"]?[7] == .bool(true))
    }

    @Test("A calibrated model returns score, p-value and verdict; a request may select some of them")
    func calibrated() async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            let values = (0..<39).map { Float($0) / 10 }
            try ReferenceModels.calibrated("gray-pad", in: place, normality: values, alpha: 0.1)
            let service = try service(place)
            let all = outputs(try object(await service.respond(to: infer(images([png])))))
            #expect(Set(all.keys) == ["normality", "score", "p_value", "anomalous", "verdict", "typical"])
            guard case .bool = all["anomalous"]?.first, case .number(let score) = all["score"]?.first else {
                Issue.record("expected a verdict and a numeric score")
                return
            }
            #expect(score >= 0 && score <= 1)
            let some = infer(images([png], more: ", \"outputs\": [{\"name\": \"p_value\"}]"))
            #expect(Set(outputs(try object(await service.respond(to: some))).keys) == ["p_value"])
        }
    }

    @Test("An invalid request is an error that says what is wrong")
    func problems() async throws {
        let service = try service()
        let cases: [(Request, Int, String)] = [
            (infer(images([])), 400, "1 to 1000"), (infer(""), 400, "not valid JSON"),
            (infer("[]"), 400, "wrong type"),
            (infer("{}"), 400, "'inputs'"), (infer("{\"inputs\": []}"), 400, "one input"),
            (infer(images([png, [1, 2]])), 400, "image 1: "),
            (infer(images([png]).replacing("BYTES", with: "INT32")), 400, "BYTES"),
            (infer(images([png]).replacing("\"shape\": [1]", with: "\"shape\": [2]")), 400, "shape"),
            (infer(images([png]).replacing("\"image\"", with: "\"x\"")), 400, "'image'"),
            (infer(images([png], more: ", \"outputs\": [{\"name\": \"score\"}]")), 400, "normality"),
            (infer(images([png]).replacing("iVBOR", with: "*")), 400, "base64"),
            (infer(images([png]), type: "text/plain"), 415, "application/json"),
        ]
        for (request, status, words) in cases {
            let response = await service.respond(to: request)
            let problem = try object(response)
            #expect(response.status == status, "\(words)")
            guard case .string(let error) = problem["error"] else {
                Issue.record("expected an error message in the response")
                return
            }
            #expect(error.contains(words))
        }
    }
}
