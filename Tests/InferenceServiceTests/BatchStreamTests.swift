import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// Batches whose body is still arriving.
@Suite(.timeLimit(.minutes(1))) struct BatchStreamTests {
    /// A body whose pieces the test sends.
    private struct Sender: BodySource {
        let pieces = BoundedQueue<Result<[UInt8], RequestError>>(limit: .max)

        func send(_ bytes: [UInt8]) { pieces.offer(.success(bytes), weight: 0) }
        func send(_ text: String) { send(Array(text.utf8)) }
        func fail(_ error: RequestError) { pieces.offer(.failure(error), weight: 0) }
        func next() async throws(RequestError) -> [UInt8]? { try await pieces.next()?.get() }
    }

    private static let png = PNG.encode(
        Image(height: 9, width: 7, channels: 1, samples: (0..<63).map { Float($0 * 3 % 64) / 64 })
    )
    private static let line = "{\"id\": 1, \"image\": \"\(Data(png).base64EncodedString())\"}\n"

    private func service(
        _ change: (inout InferenceService.Configuration) -> Void = { _ in }
    ) throws -> InferenceService {
        var configuration = InferenceService.Configuration()
        change(&configuration)
        let metrics = MetricsRegistry()
        let engine = try Engine.loaded(Engine.Configuration(), metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("gray-pad").path)]
        }
        return DocumentedService(engine, configuration, metrics: metrics).service
    }

    private func response(
        _ service: InferenceService,
        _ body: Sender,
        _ type: String,
        _ headers: [String: String] = [:]
    ) async throws -> Response {
        var fields: HeaderFields = ["Host": "a", "Transfer-Encoding": "chunked", "Content-Type": type]
        for (name, value) in headers { fields.append(name, value) }
        let head = RequestHead(method: "POST", path: "/v1/batch", headers: fields)
        guard case .admit(let request) = service.admit(head) else { throw CocoaError(.coderInvalidValue) }
        #expect(request.streamsBody)
        return await service.respond(to: request, streaming: body)
    }

    private func object(_ line: [UInt8]?) throws -> JSONValue {
        try JSONDecoder().decode(JSONValue.self, from: Data(try #require(line)))
    }

    @Test("The result of an image is sent before the next one arrives")
    func immediate() async throws {
        let (service, body) = (try service(), Sender())
        body.send(Self.line)
        let response = try await response(service, body, "application/x-ndjson")
        #expect(response.status == 200)
        for index in 0..<3 {
            let object = try object(try await response.stream?.next())
            #expect(object["index"] == .number(Double(index)) && object["result"] != nil)
            body.send(Self.line)
        }
        body.pieces.finish()
        #expect(try await response.streamedLines().count == 1)
    }

    @Test("The split of a body does not change the results", arguments: [1, 100, 5000])
    func splits(by size: Int) async throws {
        let service = try service()
        let zip =
            ArchiveBuilder.zipFile(Array("a.png".utf8), Self.png, checksum: CRC32.checksum(Self.png[...]))
            + ArchiveBuilder.zipFile(Array("b.png".utf8), [1, 2], checksum: CRC32.checksum([1, 2]))
            + ArchiveBuilder.zipEnd
        let form =
            "--b\r\nContent-Disposition: form-data; name=image; filename=a.png\r\n\r\n".utf8 + Self.png
            + "\r\n--b\r\nContent-Disposition: form-data; name=image; filename=b.png\r\n\r\n12\r\n--b--".utf8
        for (content, type) in [
            (zip, "application/zip"), (zip, "application/octet-stream"),
            (Array(form), "multipart/form-data; boundary=b"),
        ] {
            for coding in ["identity", "gzip"] {
                let body = Sender()
                var rest = (coding == "gzip" ? Gzip.compress(content) : content)[...]
                while !rest.isEmpty {
                    body.send(Array(rest.prefix(size)))
                    rest = rest.dropFirst(size)
                }
                body.pieces.finish()
                let response = try await response(service, body, type, ["Content-Encoding": coding])
                let objects = try await response.streamedLines().map { try object($0) }
                #expect(objects.map { $0["filename"] } == [.string("a.png"), .string("b.png")])
                #expect(
                    objects.count == 2 && objects[0]["result"] != nil && objects[1]["error"]["status"] == .number(400)
                )
            }
        }
    }

    @Test("An error in the body after the first image is its last line; before it, the response")
    func errors() async throws {
        let service = try service()
        for (rest, type, label) in [
            ("half", "multipart/form-data; boundary=b", "filename"), ("", "application/x-ndjson", "id"),
        ] {
            let body = Sender()
            if type.hasPrefix("multipart") {
                body.send("--b\r\nContent-Disposition: form-data; name=image\r\n\r\n")
                body.send(Self.png)
                body.send("\r\n--b\r\nContent-Disposition: form-data; name=image\r\n\r\n")
                body.send(rest)
                body.pieces.finish()
            } else {
                body.send(Self.line)
                body.fail(RequestError(408, "the request took too long"))
            }
            let objects = try await response(service, body, type).streamedLines().map { try object($0) }
            #expect(objects.count == 2 && objects[0]["result"] != nil && objects[1][label] == .null)
            #expect(objects.last?["error"]["status"] == .number(label == "id" ? 408 : 400))
            #expect(objects.last?["index"] == .number(1))
        }
        let body = Sender()
        body.fail(RequestError(408, "the request took too long"))
        #expect(try await response(service, body, "application/x-ndjson").status == 408)
    }

    @Test("An image above the limit is an error of its own, and the body as a whole has no limit")
    func limits() async throws {
        let (service, body) = (try service { $0.bodyBytes = 5000 }, Sender())
        let long = "{\"id\": \"long\", \"image\": \"\(String(repeating: "A", count: 100_000))\"}\n"
        body.send(Self.line)
        body.send(long)
        for _ in 0..<50 { body.send(Self.line) }
        body.pieces.finish()
        let lines = try await response(service, body, "application/x-ndjson").streamedLines()
        let objects = try lines.map { try object($0) }
        #expect(objects.count == 52 && objects[1]["id"] == .string("long"))
        #expect(objects[1]["error"]["status"] == .number(413))
        #expect(objects.enumerated().allSatisfy { $0.offset == 1 || $0.element["result"] != nil })
        let form = Sender()
        form.send("--b\r\nContent-Disposition: form-data; name=image; filename=long\r\n\r\n")
        form.send([UInt8](repeating: 0, count: 100_000))
        form.send("\r\n--b\r\nContent-Disposition: form-data; name=image\r\n\r\n".utf8 + Self.png + "\r\n--b--".utf8)
        form.pieces.finish()
        let parts = try await response(service, form, "multipart/form-data; boundary=b").streamedLines()
        let images = try parts.map { try object($0) }
        #expect(images.count == 2 && images[0]["error"]["status"] == .number(413) && images[1]["result"] != nil)
        #expect(images[0]["filename"] == .string("long"))
    }

    @Test("A compressed body that grows too much ends the batch")
    func bomb() async throws {
        let (service, body) = (try service(), Sender())
        body.send(Gzip.compress(Array((Self.line + String(repeating: " ", count: 10 << 20)).utf8)))
        body.pieces.finish()
        let headers = ["Content-Encoding": "gzip"]
        let response = try await response(service, body, "application/x-ndjson", headers)
        #expect(response.status == 413)
    }

    @Test("Lines wait in memory for a client that does not read, and the memory is released")
    func memory() async throws {
        let (body, budget) = (Sender(), MemoryBudget())
        let service = try service { $0.budget = budget }
        for _ in 0..<200 { body.send(Self.line) }
        body.pieces.finish()
        let response = try await response(service, body, "application/x-ndjson")
        while budget.buffers.bytes < 200 * 300 { try await Task.sleep(for: .milliseconds(5)) }
        #expect(try await response.streamedLines().count == 200)
        #expect(budget.buffers.bytes == 0)
    }

    @Test("Bytes that are discarded need no memory: blank lines, other fields, files that are too large")
    func discarded() async throws {
        let budget = MemoryBudget(bytes: 2 << 20, work: 1 << 20)
        let service = try service {
            $0.budget = budget
            $0.bodyBytes = 100_000
            $0.timeoutSeconds = 2
        }
        let piece = [UInt8](repeating: 0x0A, count: 60_000)
        let tarHeader = ArchiveBuilder.tarEntry("large", [UInt8](repeating: 0, count: 5_000_000))
        for (bodies, type) in [
            (Array(repeating: piece, count: 100) + [Array(Self.line.utf8)], "application/x-ndjson"),
            (
                stride(from: 0, to: tarHeader.count, by: 60_000).map {
                    Array(tarHeader[$0..<min($0 + 60_000, tarHeader.count)])
                } + [ArchiveBuilder.tarEntry("a.png", Self.png) + ArchiveBuilder.tarEnd], "application/x-tar"
            ),
        ] {
            let body = Sender()
            for bytes in bodies { body.send(bytes) }
            body.pieces.finish()
            let objects = try await response(service, body, type).streamedLines().map { try object($0) }
            #expect(objects.last?["result"] != nil, "\(objects)")
            #expect(objects.count == (type.hasSuffix("tar") ? 2 : 1))
        }
    }

    @Test("The memory of an image that is arriving is counted until its line is written")
    func counted() async throws {
        let (body, budget) = (Sender(), MemoryBudget())
        let service = try service { $0.budget = budget }
        let line = Array("{\"id\": \"\(String(repeating: "a", count: 900))\", \"image\": \"".utf8)
        async let answer = response(service, body, "application/x-ndjson")
        body.send(line)
        for count in 1...20 {
            body.send([UInt8](repeating: 0x41, count: 50_000))
            while budget.buffers.bytes < count * 50_000 { try await Task.sleep(for: .milliseconds(2)) }
        }
        body.send("\"}\n")
        body.pieces.finish()
        #expect(try await answer.streamedLines().count == 1)
        #expect(budget.buffers.bytes == 0)
    }

    @Test("A cancelled batch stops reading and releases its memory and its place")
    func cancelled() async throws {
        let budget = MemoryBudget()
        let service = try service {
            $0.budget = budget
            $0.queueCapacity = 2
        }
        for _ in 0..<3 {
            let body = Sender()
            defer { body.pieces.finish() }
            body.send(Self.line)
            let response = try await response(service, body, "application/x-ndjson")
            #expect(response.status == 200)
            _ = try await response.stream?.next()
            response.stream?.cancel()
        }
        while budget.buffers.bytes > 0 { try await Task.sleep(for: .milliseconds(5)) }
    }
}
