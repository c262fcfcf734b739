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

/// Many images in one request.
@Suite struct BatchTests {
    private static func png(_ index: Int) -> [UInt8] {
        PNG.encode(
            Image(height: 9, width: 7, channels: 1, samples: (0..<63).map { Float(($0 * (index + 3)) % 64) / 64 })
        )
    }

    private func service(
        _ change: (inout InferenceService.Configuration) -> Void = { _ in },
        logTo handler: @escaping @Sendable (String) -> any LogHandler = { _ in SwiftLogNoOpLogHandler() }
    ) throws -> DocumentedService {
        var configuration = InferenceService.Configuration()
        configuration.defaultModel = "gray-pad"
        change(&configuration)
        let metrics = MetricsRegistry()
        var engine = Engine.Configuration()
        engine.queueCapacity = configuration.queueCapacity
        let models = try Engine.loaded(engine, metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("gray-pad").path)]
        }
        return DocumentedService(
            models,
            configuration,
            metrics: metrics,
            logger: Logger(label: "test", factory: handler)
        )
    }

    private func request(_ body: [UInt8], _ type: String, path: String = "/v1/batch") -> Request {
        let headers: HeaderFields = ["Host": "a", "Content-Length": String(body.count), "Content-Type": type]
        return Request(head: RequestHead(method: "POST", path: path, headers: headers), body: body)
    }

    private func lines(_ texts: [String]) -> Request {
        request(Array(texts.joined(separator: "\n").utf8), "application/x-ndjson")
    }

    private func form(_ parts: [(disposition: String, body: [UInt8])]) -> Request {
        let body = parts.flatMap { part in
            Array("--b\r\nContent-Disposition: form-data; \(part.disposition)\r\n\r\n".utf8) + part.body
                + Array("\r\n".utf8)
        }
        return request(body + Array("--b--\r\n".utf8), "multipart/form-data; boundary=b")
    }

    private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    private func objects(_ response: Response) async throws -> [[String: JSONValue]] {
        var objects: [[String: JSONValue]] = []
        for line in try await response.streamedLines() {
            let value = try JSONDecoder().decode(JSONValue.self, from: Data(line))
            guard case .object(let members) = value, line.last == 0x0A else { throw CocoaError(.coderInvalidValue) }
            objects.append(members)
        }
        return objects
    }

    private func normality(_ object: JSONValue?) -> Double? {
        guard case .object(let members) = object, case .number(let number) = members["normality"] else { return nil }
        return number
    }

    private func status(_ object: JSONValue?) -> JSONValue? {
        guard case .object(let members) = object else { return nil }
        return members["status"]
    }

    @Test("Result lines are in image order, each with the score that the image has alone")
    func order() async throws {
        let service = try service()
        let images = (0..<50).map(Self.png)
        let response = await service.respond(
            to: lines(images.enumerated().map { "{\"id\": \"image \($0)\", \"image\": \"\(base64($1))\"}" })
        )
        #expect(response.status == 200 && response.headers["content-type"] == "application/x-ndjson")
        let objects = try await objects(response)
        #expect(objects.map { $0["index"] } == (0..<50).map { .number(Double($0)) })
        #expect(objects.map { $0["id"] } == (0..<50).map { .string("image \($0)") })
        for index in [0, 17, 49] {
            var alone = request(images[index], "image/png", path: "/v1/score")
            alone.head.headers.append("X-Request-ID", "alone")
            let answer = await service.respond(to: alone)
            let object = try JSONDecoder().decode(JSONValue.self, from: Data(answer.body))
            let (a, b) = (try #require(normality(object)), try #require(normality(objects[index]["result"])))
            #expect(abs(a - b) < 1e-4)
        }
    }

    @Test("A bad image gets an error in its line and does not affect the others")
    func badLines() async throws {
        let good = base64(Self.png(1))
        let cases: [(line: String, id: JSONValue, status: Double?)] = [
            ("{\"id\": 7, \"image\": \"\(good)\"}", .number(7), nil),
            ("{\"image\": \"\(good)\"}", .null, nil),
            ("{\"id\": \"x\", \"image\": \"\(base64(Array("no png".utf8)))\"}", .string("x"), 400),
            ("{\"id\": \"empty\", \"image\": \"\"}", .string("empty"), 400),
            ("{\"id\": true, \"image\": \"\(good)\"}", .null, 400),
            ("{\"id\": 1.5, \"image\": 5}", .number(1.5), 400),
            ("{\"image\": [5], \"id\": \"after\"}", .string("after"), 400),
            ("{\"id\": \"first\", \"id\": 2, \"image\": \"\(good)\"}", .string("first"), 400),
            ("{\"id\": \"broken\", \"image\": \"\(good)", .string("broken"), 400),
            ("{\"id\": 12", .null, 400),
            ("{\"id\": 12x, \"image\": \"\(good)\"}", .null, 400),
            ("{\"id\": \"\(String(repeating: "x", count: 1025))\", \"image\": \"\(good)\"}", .null, 400),
            ("{\"id\": \"a\", \"image\": \"*\"}", .string("a"), 400),
            ("{\"id\": \"a\"}", .string("a"), 400),
            ("[1]", .null, 400),
            ("{\"id\": ", .null, 400),
            ("{\"id\": \"last\", \"image\": \"\(good)\"}", .string("last"), nil),
        ]
        let response = try await service().respond(to: lines(cases.map(\.line) + ["", "  "]))
        let objects = try await objects(response)
        #expect(objects.count == cases.count)
        for (object, expected) in zip(objects, cases) {
            #expect(object["id"] == expected.id, "\(expected.line.prefix(40))")
            #expect(status(object["error"]) == expected.status.map { .number($0) }, "\(expected.line.prefix(40))")
            #expect((object["result"] == nil) == (expected.status != nil))
        }
    }

    @Test(
        "An ID is returned exactly as it was written, with a result and with an error",
        arguments: [
            "12345678901234567890", "9007199254740993", "-0", "1.50", "1E+400", "1e-7", "\"\\u00e9\\/\"", "\"é 😀\"",
            "\"\"",
            "\"\\ud83d\"", "null",
        ]
    )
    func exactIDs(_ id: String) async throws {
        let body = ["{\"id\": \(id), \"image\": \"\(base64(Self.png(1)))\"}", "{\"id\": \(id) , \"image\": 1}"]
        let written = try await service().service.respond(to: lines(body)).streamedLines()
        #expect(written.count == 2)
        for (line, member) in zip(written.map({ String(decoding: $0, as: UTF8.self) }), ["\"result\"", "\"error\""]) {
            #expect(line.hasPrefix("{\"id\":\(id),") && line.contains(member))
        }
    }

    @Test("Other names of NDJSON are accepted", arguments: ["application/jsonl", "application/ndjson; charset=utf-8"])
    func names(_ type: String) async throws {
        let line = "{\"image\": \"\(base64(Self.png(1)))\"}"
        let response = try await service().respond(to: request(Array(line.utf8), type))
        #expect(response.headers["x-accel-buffering"] == "no")
        let objects = try await objects(response)
        #expect(objects.count == 1 && objects[0]["error"] == nil)
    }

    @Test("Fields of a form that are not images are ignored with a warning, and counted in the log")
    func otherFields() async throws {
        let log = MemoryLog()
        let service = try service(logTo: { _ in log })
        let response = await service.respond(
            to: form([
                ("name=\"token\"", Array("Jane Roe".utf8)), ("name=\"Jane\"", []),
                ("name=image; filename=a", Self.png(1)), ("name=\"after\"", []),
            ])
        )
        let objects = try await objects(response)
        #expect(objects.map { $0["filename"] } == [.string("a")])
        guard case .object(let result)? = objects[0]["result"], case .object(let image)? = result["image"] else {
            Issue.record("expected a result")
            return
        }
        #expect(image["warnings"] == .array([.string("2 form fields other than 'image' were ignored")]))
        let line = try #require(log.lines.withLock { $0.first })
        #expect(line.contains("\"ignored_fields\": 3") && !line.contains("Jane"))
    }

    @Test("A part in base64 is decoded; another transfer encoding is an error of that image alone")
    func transferEncodings() async throws {
        let text = Array(Data(Self.png(1)).base64EncodedString(options: .lineLength76Characters).utf8)
        let response = try await service().respond(
            to: form([
                ("name=image\r\nContent-Transfer-Encoding: base64", text),
                ("name=image\r\nContent-Transfer-Encoding: quoted-printable", text),
                ("name=image\r\nContent-Transfer-Encoding: binary", Self.png(1)),
            ])
        )
        let objects = try await objects(response)
        #expect(normality(objects[0]["result"]) != nil)
        #expect(normality(objects[0]["result"]) == normality(objects[2]["result"]))
        guard case .object(let error)? = objects[1]["error"], case .string(let detail)? = error["detail"] else {
            Issue.record("expected an error")
            return
        }
        #expect(error["status"] == .number(400) && detail.contains("quoted-printable"))
    }

    @Test("Parts are identified by their file names")
    func parts() async throws {
        let response = try await service().respond(
            to: form([
                ("name=\"image\"; filename=\"a b.png\"", Self.png(1)), ("name=image", Self.png(2)),
                ("name=\"image\"; filename=\"c.png\"", [1, 2]),
            ])
        )
        let objects = try await objects(response)
        #expect(objects.map { $0["filename"] } == [.string("a b.png"), .null, .string("c.png")])
        #expect(objects.map { $0["error"] == nil } == [true, true, false])
    }

    @Test("A body that is not a batch is rejected as a whole")
    func refused() async throws {
        let service = try service()
        let cases: [(Request, Int)] = [
            (lines([]), 400), (lines(["", " "]), 400), (form([]), 400),
            (form([("name=\"picture\"", Self.png(1))]), 400), (request(Self.png(1), "image/png"), 415),
            (request([], "multipart/form-data"), 400), (request([], "application/json"), 415),
            (request([0x7B], "application/x-ndjson", path: "/v1/models/nobody/batch"), 404),
        ]
        for (request, status) in cases {
            let response = await service.respond(to: request)
            #expect(response.status == status && response.stream == nil)
        }
    }

    @Test("A batch keeps its place in the queue until it ends, and rejections by a full queue are counted")
    func place() async throws {
        let service = try service { $0.queueCapacity = 1 }
        func score() async -> Int {
            await service.respond(to: request(Self.png(1), "image/png", path: "/v1/score")).status
        }
        func metrics() async -> String {
            let head = RequestHead(method: "GET", path: "/metrics", headers: ["Host": "a"])
            return String(decoding: await service.respond(to: Request(head: head)).body, as: UTF8.self)
        }
        // A rejected batch keeps no place.
        #expect(await service.respond(to: lines([])).status == 400)
        let batch = await service.respond(to: lines(["{\"image\": \"\(base64(Self.png(1)))\"}"]))
        #expect(await score() == 503)
        #expect(await metrics().contains("dia_rejected_total{reason=\"queue_full\"} 1\n"))
        #expect(try await objects(batch).count == 1)
        #expect(await score() == 200)
    }

    @Test("A batch larger than the queue waits for places, and none of its images is rejected")
    func smallQueue() async throws {
        let service = try service { $0.queueCapacity = 3 }
        let line = "{\"image\": \"\(base64(Self.png(1)))\"}"
        let response = await service.respond(to: lines(Array(repeating: line, count: 40)))
        let objects = try await objects(response)
        #expect(objects.count == 40 && objects.allSatisfy { $0["error"] == nil })
    }

    @Test("After the request's deadline, one last line stands for the images that were not begun")
    func late() async throws {
        let service = try service()
        let image = base64(Self.png(1))
        var request = lines((0..<1000).map { "{\"id\": \($0), \"image\": \"\(image)\"}" })
        request.head.headers.append("X-Request-Timeout", "0.05")
        let response = await service.respond(to: request)
        let objects = try await objects(response)
        let last = try #require(objects.last)
        #expect(status(last["error"]) == .number(503) && last["id"] == nil && last["index"] == nil)
        let begun = objects.count - 1
        #expect(begun < 1000)
        #expect(last["first_index"] == .number(Double(begun)) && last["not_done"] == .number(Double(1000 - begun)))
        #expect(objects.dropLast().map { $0["id"] } == (0..<begun).map { .number(Double($0)) })
    }

    @Test("In a table, the last record has the number of images that were not begun")
    func lateTable() async throws {
        let service = try service()
        let line = "{\"image\": \"\(base64(Self.png(1)))\"}"
        var request = lines(Array(repeating: line, count: 1000))
        request.head.headers.append("Accept", "text/csv")
        request.head.headers.append("X-Request-Timeout", "0.05")
        let response = await service.respond(to: request)
        let rows = try await response.streamedLines().map { String(decoding: $0, as: UTF8.self) }
        let begun = rows.count - 2
        #expect(rows.last?.hasPrefix(",\(begun),") == true)
        #expect(rows.last?.hasSuffix("; \(1000 - begun) images not done\r\n") == true)
    }

    @Test("A batch is logged when it ends, with its size but no file names; if cancelled, as 499")
    func log() async throws {
        let log = MemoryLog()
        let service = try service(logTo: { _ in log })
        let whole = await service.respond(to: form([("name=image; filename=\"Jane Roe.png\"", Self.png(1))]))
        #expect(log.lines.withLock { $0.isEmpty })
        let bytes = try await objects(whole).count
        #expect(bytes == 1)
        let line = try #require(log.lines.withLock { $0.first })
        #expect(line.contains("200") && !line.contains("Jane") && line.contains("bytes_out"))
        let left = await service.respond(to: lines(["{}", "{}"]))
        _ = try await left.stream?.next()
        left.stream?.cancel()
        #expect(log.lines.withLock { $0.count == 2 && $0[1].contains("499") })
        // A cancelled batch frees its place.
        #expect(await service.respond(to: request(Self.png(1), "image/png", path: "/v1/score")).status == 200)
    }

    @Test("Batches leave half of the queue to single images")
    func halfOfThePlaces() async throws {
        let service = try service { $0.queueCapacity = 4 }
        let line = "{\"image\": \"\(base64(Self.png(1)))\"}"
        var batches: [Response] = []
        for _ in 0..<4 { batches.append(await service.respond(to: lines([line]))) }
        #expect(batches.map(\.status) == [200, 200, 503, 503])
        let single = request(Self.png(1), "image/png", path: "/v1/score")
        #expect(await service.respond(to: single).status == 200)
        for batch in batches where batch.stream != nil { #expect(try await objects(batch).count == 1) }
    }
}
