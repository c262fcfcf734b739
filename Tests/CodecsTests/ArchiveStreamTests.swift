import Codecs
import Foundation
import TestSupport
import Testing

/// Archives that arrive in pieces.
@Suite struct ArchiveStreamTests {
    /// What the reader finds: names, and contents or errors.
    private func found<Reader: ArchiveReader>(_ reader: Reader, _ bytes: [UInt8], by size: Int) -> [String] {
        var (reader, rest, found) = (reader, bytes[...], [String]())
        repeat {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(size)
            reader.append(Array(piece), isLast: rest.isEmpty)
            while case .entry(let entry) = reader.step() { found.append(text(entry)) }
        } while !rest.isEmpty
        return found
    }

    private func text(_ entry: ArchiveEntry) -> String {
        let content =
            switch entry.detached.content {
            case .failure(let error): "\(error)"
            case .success(.stored(let bytes)): "\(Array(bytes))"
            case .success(.deflated(let file)): (try? file.bytes()).map { "\($0)" } ?? "damaged"
            }
        return "\(entry.name ?? "none") \(content)"
    }

    @Test("The split of an archive does not change its files", arguments: ArchiveFixtureTests.fixtures)
    func splits(_ fixture: ArchiveFixtureTests.Fixture) {
        let whole = fixture.entries(fixture.bytes).map(text)
        for size in [1, 7, 100, 511, 513, 4096] where size > 1 || fixture.bytes.count < 20_000 {
            let entries =
                fixture.isZip
                ? found(ZipReader(limit: 1 << 20, ratio: 10), fixture.bytes, by: size)
                : found(TarReader(limit: 1 << 20), fixture.bytes, by: size)
            #expect(entries == whole, "\(size)")
        }
    }

    @Test(
        "The split does not change what is found in an archive that is truncated, or whose files are too large",
        arguments: ArchiveFixtureTests.fixtures
    )
    func splitsTruncated(_ fixture: ArchiveFixtureTests.Fixture) {
        for length in stride(from: 1, through: min(fixture.bytes.count, 4000), by: 97) {
            let bytes = Array(fixture.bytes.prefix(length))
            for limit in [20, 1 << 20] {
                let (whole, pieces) =
                    fixture.isZip
                    ? (
                        ZipReader(bytes, limit: limit, ratio: 10).map(text),
                        found(ZipReader(limit: limit, ratio: 10), bytes, by: 53)
                    )
                    : (
                        TarReader(bytes, limit: limit).map(text),
                        found(TarReader(limit: limit), bytes, by: 53)
                    )
                #expect(pieces == whole, "\(length) bytes, limit \(limit)")
            }
        }
    }

    @Test("A truncated archive in pieces gives the files before that place and an error", arguments: [1, 50])
    func truncated(by size: Int) {
        let content = Array("some content".utf8)
        let zip = ArchiveBuilder.zipFile(Array("a".utf8), content, checksum: CRC32.checksum(content[...]))
        for length in [zip.count + 1, zip.count + 10, zip.count + 35] {
            let entries = found(ZipReader(limit: 100, ratio: 10), Array((zip + zip).prefix(length)), by: size)
            #expect(entries.count == 2 && entries[0].hasPrefix("a [") && entries[1].contains("truncated"))
        }
        let tar = ArchiveBuilder.tarEntry("a", content)
        for length in [tar.count + 1, tar.count + 512, tar.count + 515] {
            let entries = found(TarReader(limit: 100), Array((tar + tar).prefix(length)), by: size)
            #expect(entries.count == 2 && entries[0].hasPrefix("a [") && entries[1].contains("truncated"))
        }
    }

    @Test("A file that is too large is skipped while it arrives, and the next ones are read", arguments: [100, 65_536])
    func skips(by size: Int) {
        let large = [UInt8](repeating: 1, count: 3 << 20)
        let small = Array("small".utf8)
        let zip =
            ArchiveBuilder.zipFile(Array("large".utf8), large, checksum: CRC32.checksum(large[...]))
            + ArchiveBuilder.zipFile(Array("small".utf8), small, checksum: CRC32.checksum(small[...]))
            + ArchiveBuilder.zipEnd
        let tar =
            ArchiveBuilder.tarEntry("device", large, kind: "Z") + ArchiveBuilder.tarEntry("large", large)
            + ArchiveBuilder.tarEntry("small", small) + ArchiveBuilder.tarEnd
        for entries in [
            found(ZipReader(limit: 1000, ratio: 10), zip, by: size), found(TarReader(limit: 1000), tar, by: size),
        ] {
            #expect(entries.count == 2 && entries.first?.hasPrefix("large the file has more than 1000 bytes") == true)
            #expect(entries.last == "small \(small)")
        }
    }

    @Test(
        "A size close to the largest integer skips the rest of the archive",
        arguments: [Int.max, Int.max - 1, Int.max - 511]
    )
    func hostileSizes(_ size: Int) {
        let field =
            ArchiveBuilder.number(1, 2) + ArchiveBuilder.number(16, 2)
            + ArchiveBuilder.number(UInt64(size), 8) + ArchiveBuilder.number(UInt64(size), 8)
        let zip = ArchiveBuilder.zipFile(
            Array("a".utf8),
            [1, 2, 3],
            checksum: 0,
            sizes: (0xFFFF_FFFF, 0xFFFF_FFFF),
            extra: field
        )
        let entries = found(ZipReader(limit: 1000, ratio: 10), zip + [UInt8](repeating: 0, count: 5000), by: 100)
        #expect(entries.count == 2 && entries[0].contains("more than 1000 bytes") && entries[1].contains("truncated"))
        // A record has at most 18 digits.
        let record = " size=\(min(size, 999_999_999_999_999_999))\n"
        let records = Array("\(record.utf8.count + 2)\(record)".utf8)
        let tar = ArchiveBuilder.tarEntry("x", records, kind: "x") + ArchiveBuilder.tarEntry("a", [1, 2, 3])
        let files = found(TarReader(limit: 1000), tar + [UInt8](repeating: 0, count: 5000), by: 100)
        #expect(files.count == 2 && files[0].contains("more than 1000 bytes") && files[1].contains("truncated"))
    }

    @Test("While the end of a file is searched, a reader waits for many bytes before it searches again")
    func waits() {
        let start = ArchiveBuilder.zipFile(Array("a".utf8), [], flags: 8, method: 8, checksum: 0)
        var reader = ZipReader(limit: 1 << 20, ratio: 10)
        reader.append(start + [0, 0xFF, 0xFF, 0, 0] + [UInt8](repeating: 7, count: 40_000), isLast: false)
        guard case .needsMore(let count) = reader.step() else {
            Issue.record("expected that more bytes are needed")
            return
        }
        #expect(count >= 10_000)
        // The size of a stored file is known.
        var stored = ZipReader(limit: 1 << 20, ratio: 10)
        let content = [UInt8](repeating: 7, count: 5000)
        let file = ArchiveBuilder.zipFile(Array("a".utf8), content, checksum: CRC32.checksum(content[...]))
        stored.append(Array(file.dropLast(1000)), isLast: false)
        guard case .needsMore(1000) = stored.step() else {
            Issue.record("expected that 1000 bytes are needed")
            return
        }
    }

    @Test("A file whose end is not found keeps a limited number of bytes")
    func endless() {
        // A header with a data descriptor, and stored blocks without an end.
        let start = ArchiveBuilder.zipFile(Array("a".utf8), [], flags: 8, method: 8, checksum: 0)
        var reader = ZipReader(limit: 100_000, ratio: 10)
        reader.append(start, isLast: false)
        let block = [UInt8](repeating: 7, count: 65_535)
        var entry: ArchiveEntry?
        for _ in 0..<40 where entry == nil {
            reader.append([0, 0xFF, 0xFF, 0, 0] + block, isLast: false)
            if case .entry(let found) = reader.step() { entry = found }
        }
        #expect(entry?.endsArchive == true && entry.map(text)?.contains("more than 100000 bytes") == true)
    }
}
