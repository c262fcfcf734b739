import Client
import Foundation
import TestSupport
import Testing

/// Files of results that repeated runs continue.
@Suite struct JournalTests {
    private static let model = Journal.Model(name: "phantom", version: "1.0.0", digest: "sha256:ab")
    private static let paths = ["a.png", "b,\"c\"\r\n.png", "d.png"].map { InputPath($0) }

    private func contents(_ format: ResultFormat, _ records: [Record]) -> [UInt8] {
        format.header + records.flatMap { format.text(of: $0) }
    }

    private func scored(_ paths: some Sequence<InputPath>) -> [Record] {
        paths.enumerated().map { .scored($0.element, $0.offset) }
    }

    @Test(
        "A file that was cut off at any byte is continued with each image once",
        arguments: [ResultFormat.csv, .jsonl]
    )
    func cutOff(format: ResultFormat) async throws {
        let whole = contents(format, scored(Self.paths))
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            for length in 0...whole.count {
                try Data(whole.prefix(length)).write(to: file)
                let journal = try Journal(file.path, format, model: Self.model)
                for (index, path) in Self.paths.enumerated() where !journal.done.contains(path, frame: nil) {
                    try journal.file.write(format.text(of: .scored(path, index)))
                }
                #expect(try Data(contentsOf: file) == Data(whole), "\(length) bytes")
            }
        }
    }

    @Test("Images that failed are removed and not counted as done", arguments: [ResultFormat.csv, .jsonl])
    func failures(format: ResultFormat) async throws {
        let records = [Record.scored(Self.paths[0]), .failed(Self.paths[1], 1), .scored(Self.paths[2], 2)]
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            // The last record is incomplete too.
            try Data(contents(format, records) + format.text(of: .failed(Self.paths[1])).dropLast(3)).write(to: file)
            let journal = try Journal(file.path, format, model: Self.model)
            #expect(journal.done.count == 2 && !journal.done.contains(Self.paths[1], frame: nil))
            #expect(try Data(contentsOf: file) == Data(contents(format, [records[0], records[2]])))
            try journal.file.write(format.text(of: .scored(Self.paths[1], 1)))
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["results"])
            let expected = contents(format, [records[0], records[2], .scored(Self.paths[1], 1)])
            #expect(try Data(contentsOf: file) == Data(expected))
        }
    }

    @Test("Frames of a file are distinguished", arguments: [ResultFormat.csv, .jsonl])
    func frames(format: ResultFormat) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            try Data(contents(format, [.scored(Self.paths[0], frame: 1)])).write(to: file)
            let done = try Journal(file.path, format, model: Self.model).done
            #expect(done.contains(Self.paths[0], frame: 1))
            #expect(!done.contains(Self.paths[0], frame: 0) && !done.contains(Self.paths[0], frame: nil))
        }
    }

    @Test("Scores of another model or version are not mixed with this one's", arguments: [ResultFormat.csv, .jsonl])
    func otherModel(format: ResultFormat) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            let whole = Data(contents(format, scored(Self.paths)))
            try whole.write(to: file)
            for (name, version) in [("pneumonia", "1.0.0"), ("phantom", "1.0.0+site.12345678")] {
                let other = Journal.Model(name: name, version: version, digest: "sha256:ab")
                let error = #expect(throws: ResultFile.Failure.self) { try Journal(file.path, format, model: other) }
                #expect(error?.description.contains("phantom 1.0.0") == true)
            }
            // CSV has no digest.
            let digest = Journal.Model(name: "phantom", version: "1.0.0", digest: "sha256:cd")
            #expect((try? Journal(file.path, format, model: digest)) == nil || format == .csv)
            #expect(try Data(contentsOf: file) == whole)
        }
    }

    @Test(
        "A file that is not such a file is left as it is",
        arguments: [
            "x", "\u{89}PNG", "{\"path\":1}\n", "{\"path\":\"a\"}\n", "[]\n", "path,index\r\n", "path,index", "\n",
            "{\"path\":\"a\",\"index\":0,\"frame\":null,\"result\":{}}\n", "some text\nof a user\n",
        ]
    )
    func foreignFile(text: String) async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            for format in [ResultFormat.csv, .jsonl] where !(format == .csv && text == "path,index") {
                try Data(text.utf8).write(to: file)
                #expect(throws: ResultFile.Failure.self) { try Journal(file.path, format, model: Self.model) }
                #expect(try Data(contentsOf: file) == Data(text.utf8))
            }
            // A file of the other format.
            try Data(contents(.csv, scored(Self.paths))).write(to: file)
            #expect(throws: ResultFile.Failure.self) { try Journal(file.path, .jsonl, model: Self.model) }
            try Data(contents(.jsonl, scored(Self.paths))).write(to: file)
            #expect(throws: ResultFile.Failure.self) { try Journal(file.path, .csv, model: Self.model) }
        }
    }

    @Test("A damaged record between others is an error that names it")
    func damaged() async throws {
        try await withTemporaryFolder { folder in
            let file = folder.appendingPathComponent("results")
            let records = scored(Self.paths).map { ResultFormat.jsonl.text(of: $0) }
            try Data(records[0] + [0, 0, 0, 0x0A] + records[1]).write(to: file)
            let error = #expect(throws: ResultFile.Failure.self) {
                try Journal(file.path, .jsonl, model: Self.model)
            }
            #expect(error?.description.contains("record 2") == true)
        }
    }

    @Test("Two runs cannot write the same file")
    func locked() async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent("results").path
            let first = try Journal(path, .csv, model: Self.model)
            let error = #expect(throws: ResultFile.Failure.self) { try Journal(path, .csv, model: Self.model) }
            #expect(error?.description.contains("another run") == true)
            withExtendedLifetime(first) {}
        }
    }
}
