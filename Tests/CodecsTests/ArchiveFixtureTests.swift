import Codecs
import Foundation
import Testing

/// Archives made by other programs (Tests/Reference/make_archives.py), and the same ones damaged.
@Suite(.serialized) struct ArchiveFixtureTests {
    /// A file as it is expected: its content in hexadecimal, or a part of the error.
    struct Expected: Decodable, Sendable {
        let name: String
        let content, error: String?
    }

    struct Fixture: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        let files: [Expected]
        var testDescription: String { name }
        var isZip: Bool { name.hasSuffix(".zip") }

        /// The position of the first byte after the last file.
        var end: Int {
            let directory = bytes.indices.first { bytes[$0...].starts(with: "PK\u{1}\u{2}".utf8) }
            guard isZip else { return bytes.count - bytes.reversed().prefix { $0 == 0 }.count }
            return directory ?? 0
        }

        func entries(_ bytes: [UInt8]) -> [ArchiveEntry] {
            isZip ? Array(ZipReader(bytes, limit: 1 << 20, ratio: 10)) : Array(TarReader(bytes, limit: 1 << 20))
        }
    }

    static let fixtures: [Fixture] = {
        let folder = Bundle.module.bundleURL.appendingPathComponent("Archives")
        do {
            let text = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
            return try JSONDecoder().decode([String: [Expected]].self, from: text).sorted { $0.key < $1.key }.map {
                let bytes = try Data(contentsOf: folder.appendingPathComponent($0.key))
                return Fixture(name: $0.key, bytes: Array(bytes), files: $0.value)
            }
        } catch {
            Issue.record("the fixtures cannot be read: \(error)")
            return []
        }
    }()

    @Test("The files of an archive are read in order", arguments: fixtures)
    func files(_ fixture: Fixture) throws {
        #expect(ZipReader.recognizes(fixture.bytes) == fixture.isZip)
        #expect(TarReader.recognizes(fixture.bytes) != fixture.isZip)
        let entries = fixture.entries(fixture.bytes)
        #expect(entries.map(\.name) == fixture.files.map(\.name))
        for (entry, expected) in zip(entries, fixture.files) {
            do {
                #expect(hexadecimal(try bytes(entry)) == expected.content)
            } catch {
                let part = try #require(expected.error, "\(expected.name): \(error)")
                #expect("\(error)".contains(part))
            }
        }
    }

    // A tar archive is mostly padding, so only some of its bytes are tried.
    @Test("An archive that is truncated gives the files before that place and an error", arguments: fixtures)
    func truncated(_ fixture: Fixture) throws {
        let whole = fixture.entries(fixture.bytes)
        for length in stride(from: 0, to: fixture.bytes.count, by: fixture.isZip ? 3 : 61) {
            let entries = fixture.entries(Array(fixture.bytes[..<length]))
            let isCut = entries.last?.endsArchive ?? false
            let files = isCut ? entries.dropLast() : entries[...]
            #expect(files.map(\.name) == whole.prefix(files.count).map(\.name), "\(length)")
            for (file, original) in zip(files, whole) {
                #expect((try? bytes(file)) == (try? bytes(original)), "\(length)")
            }
            if length < fixture.end { #expect(isCut, "\(length)") }
            if !isCut { #expect(files.count == whole.count, "\(length)") }
        }
    }

    @Test("A changed byte in a zip archive never changes a content", arguments: fixtures.filter(\.isZip))
    func flipped(_ fixture: Fixture) throws {
        // Without the flag for a data descriptor, a size of 0 is that of an empty file.
        let contents = Set(fixture.entries(fixture.bytes).compactMap { try? bytes($0) } + [[]])
        for position in fixture.bytes.indices {
            for change in [0x01, 0xFF] as [UInt8] {
                var changed = fixture.bytes
                changed[position] ^= change
                for entry in fixture.entries(changed) {
                    guard let content = try? bytes(entry) else { continue }
                    if !contents.contains(content) { Issue.record("\(position) \(change)") }
                }
            }
        }
    }

    @Test("A changed byte in the headers of a tar archive is found", arguments: fixtures.filter { !$0.isZip })
    func flippedHeader(_ fixture: Fixture) throws {
        for position in stride(from: 0, to: 512, by: 3) {
            for change in [0x01, 0xFF] as [UInt8] {
                var changed = fixture.bytes
                changed[position] ^= change
                let entries = fixture.entries(changed)
                // The checksum may be written with other leading or trailing bytes.
                if !(148..<156).contains(position) {
                    #expect(entries.count == 1 && entries[0].endsArchive, "\(position)")
                }
            }
        }
        for position in stride(from: 512, to: fixture.bytes.count, by: 61) {
            var changed = fixture.bytes
            changed[position] ^= 0x81
            #expect(fixture.entries(changed).count <= fixture.bytes.count / 512)
        }
    }

    private func bytes(_ entry: ArchiveEntry) throws -> [UInt8] {
        switch try entry.content.get() {
        case .stored(let bytes): return Array(bytes)
        case .deflated(let file):
            let bytes = try file.bytes()
            #expect(bytes.count == file.count && file.prefix(29) == Array(bytes.prefix(29)))
            return bytes
        }
    }

    private func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
