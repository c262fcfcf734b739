import Codecs
import Engine
import Foundation
import HTTP
import Imaging
import InferenceService
import ModelFile
import TestSupport
import Testing

/// Batches of the files in zip and tar archives.
@Suite struct BatchArchiveTests {
    private let service: DocumentedService

    init() throws { service = DocumentedService(phantom: try Engine.phantom()) }

    private static let png = PNG.encode(
        Image(height: 8, width: 8, channels: 1, samples: (0..<64).map { Float($0) / 64 })
    )

    /// An archive made by another program.
    private static func fixture(_ name: String) throws -> [UInt8] {
        let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try Array(Data(contentsOf: tests.appendingPathComponent("CodecsTests/Archives/\(name)")))
    }

    private func response(
        _ body: [UInt8],
        _ type: String?,
        accept: String? = nil,
        coding: String? = nil,
        service: DocumentedService? = nil
    ) async -> Response {
        var headers: HeaderFields = ["Host": "a", "Content-Length": String(body.count)]
        if let type { headers.append("Content-Type", type) }
        if let accept { headers.append("Accept", accept) }
        if let coding { headers.append("Content-Encoding", coding) }
        let request = Request(head: RequestHead(method: "POST", path: "/v1/batch", headers: headers), body: body)
        return await (service ?? self.service).respond(to: request)
    }

    private func objects(_ response: Response) async throws -> [JSONValue] {
        try await response.streamedLines().map { try JSONDecoder().decode(JSONValue.self, from: Data($0)) }
    }

    private func detail(_ response: Response) -> String { String(decoding: response.body, as: UTF8.self) }

    /// A stored file of a zip archive.
    private func zipFile(_ name: String, _ content: [UInt8]) -> [UInt8] {
        ArchiveBuilder.zipFile(Array(name.utf8), content, flags: 1 << 11, checksum: CRC32.checksum(content[...]))
    }

    @Test(
        "Each file of an archive is an image; a file that is not a PNG has an error in its line",
        arguments: [
            ("python-deflated.zip", "application/zip"), ("python-pipe.zip", "application/x-zip-compressed"),
            ("info-zip.zip", nil), ("info-zip-stored.zip", "application/octet-stream"),
            ("gnu-tar-gnu.tar", "application/x-tar"), ("python-pax.tar", nil), ("gnu-tar-v7.tar", "application/x-gtar"),
            ("python-ustar.tar", "application/x-www-form-urlencoded"),
        ] as [(String, String?)]
    )
    func files(_ name: String, _ type: String?) async throws {
        let response = await response(try Self.fixture(name), type)
        #expect(response.status == 200 && response.headers["content-type"] == "application/x-ndjson")
        let objects = try await objects(response)
        let names = ["one.png", "folder/two.png", "folder/notes.txt", "empty.png"]
        #expect(objects.map { $0["filename"] } == names.map { .string($0) })
        #expect(objects.map { $0["index"] } == (0..<4).map { .number(Double($0)) })
        #expect(objects.map { $0["result"] != nil } == [true, true, false, false])
        #expect(objects[2]["error"]["detail"] == .string("the image is not a valid PNG: not a PNG file"))
        #expect(objects[3]["error"]["detail"] == .string("the image is empty"))
    }

    @Test("An image has the same result in every kind of archive as alone")
    func sameResults() async throws {
        let head = RequestHead(
            method: "POST",
            path: "/v1/score",
            headers: ["Host": "a", "Content-Length": String(Self.png.count), "Content-Type": "image/png"]
        )
        let alone = await service.respond(to: Request(head: head, body: Self.png))
        let key = try JSONDecoder().decode(JSONValue.self, from: Data(alone.body))["result_key"]
        let packed = Array(Gzip.compress(Self.png).dropFirst(10).dropLast(8))
        let deflated = ArchiveBuilder.zipFile(
            Array("a.png".utf8),
            packed,
            method: 8,
            checksum: CRC32.checksum(Self.png[...]),
            sizes: (UInt64(packed.count), UInt64(Self.png.count))
        )
        let zip = zipFile("a.png", Self.png) + deflated + ArchiveBuilder.zipEnd
        let tar = ArchiveBuilder.tarEntry("a.png", Self.png) + ArchiveBuilder.tarEnd
        let objects = try await objects(response(zip, nil)) + objects(response(tar, nil))
        #expect(key != nil && objects.map { $0["result"]["result_key"] } == [key, key, key])
    }

    @Test("Hidden files and those of macOS are left out, and names are returned as they are in the archive")
    func names() async throws {
        let kept = ["./a.png", "../b.png", "/c.png", "a \"b\"\n.png", "ä/c./__MACOSX.png", "a.png", "a.png"]
        let hidden = [".a.png", "x/.git/a.png", "__MACOSX/a.png", "x/__MACOSX/._a.png", "..a", "./.DS_Store"]
        let zip = (kept.dropLast() + hidden + kept.suffix(1)).flatMap { zipFile($0, Self.png) }
        let objects = try await objects(response(zip + ArchiveBuilder.zipEnd, "application/zip"))
        #expect(objects.map { $0["filename"] } == kept.map { .string($0) })
        let table = await response(zip + ArchiveBuilder.zipEnd, "application/zip", accept: "text/csv")
        let header = try await table.stream?.next() ?? []
        #expect(String(decoding: header, as: UTF8.self).hasPrefix("filename,index,"))
    }

    @Test("Where an archive becomes unreadable, the files before it have results, and a last line has the error")
    func damaged() async throws {
        let file = zipFile("a.png", Self.png)
        let zip = file + file.dropLast(5)
        let tar = ArchiveBuilder.tarEntry("a.png", Self.png)
        let encrypted = try Self.fixture("info-zip-encrypted.zip")
        for (body, second) in [(zip, "a.png"), (tar, nil), (file, nil)] as [([UInt8], String?)] {
            let response = await response(body, nil)
            let objects = try await objects(response)
            #expect(response.status == 200 && objects.count == 2)
            let filename: JSONValue = second.map { .string($0) } ?? .null
            #expect(objects[0]["result"] != nil && objects[1]["filename"] == filename)
            let detail = "the archive is truncated; the rest of the archive cannot be read"
            #expect(objects[1]["error"]["detail"] == .string(detail))
        }
        let objects = try await objects(response(encrypted, "application/zip"))
        #expect(objects.map { $0["error"]["detail"] } == Array(repeating: .string("the file is encrypted"), count: 3))
        #expect(objects[1]["filename"] == .string("folder/two.png"))
    }

    @Test("A compressed image may have at most ten times its compressed size, and as many bytes as a body")
    func sizes() async throws {
        let large = [UInt8](repeating: 0, count: 200_000)
        let packed = Array(Gzip.compress(large).dropFirst(10).dropLast(8))
        let bomb = ArchiveBuilder.zipFile(
            Array("bomb.png".utf8),
            packed,
            method: 8,
            checksum: CRC32.checksum(large[...]),
            sizes: (UInt64(packed.count), UInt64(large.count))
        )
        let zip = bomb + zipFile("a.png", Self.png) + ArchiveBuilder.zipEnd
        let objects = try await objects(response(zip, "application/zip"))
        #expect(objects.map { $0["error"]["status"] } == [.number(413), nil])
        #expect(objects[1]["result"] != nil)
    }

    @Test("A body that is not an archive of images is rejected as a whole")
    func refused() async throws {
        let none = ArchiveBuilder.zipEnd
        let folder = ArchiveBuilder.tarEntry("folder/", [], kind: "5") + ArchiveBuilder.tarEnd
        let cases: [([UInt8], String?, Int, String)] = [
            (none, "application/zip", 400, "does not contain a file"), (none, nil, 400, "does not contain a file"),
            (folder, "application/x-tar", 400, "does not contain a file"),
            (zipFile(".hidden", []) + none, nil, 400, "does not contain a file"),
            (Self.png, "application/zip", 400, "the body is not a zip archive"),
            (zipFile("a", []) + none, "application/x-tar", 400, "the body is not a tar archive"),
            ([], "application/x-tar", 400, "the body is not a tar archive"),
            (Self.png, nil, 415, "application/zip"),
            (Array("{}".utf8), "application/octet-stream", 415, "application/x-tar"),
            ([], nil, 415, "application/zip"),
        ]
        for (body, type, status, text) in cases {
            let response = await response(body, type)
            #expect(response.status == status && response.stream == nil, "\(type ?? "none") \(text)")
            #expect(detail(response).contains(text), "\(detail(response))")
        }
    }

    @Test("A tar archive may be compressed with gzip as its Content-Encoding")
    func compressed() async throws {
        let tar = ArchiveBuilder.tarEntry("a.png", Self.png) + ArchiveBuilder.tarEnd
        let objects = try await objects(response(Gzip.compress(tar), "application/x-tar", coding: "gzip"))
        #expect(objects.count == 1 && objects[0]["result"] != nil)
    }
}
