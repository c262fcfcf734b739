import Codecs
import TestSupport
import Testing

/// Archives with hostile sizes, names and contents.
@Suite struct HostileArchiveTests {
    private static let content = Array("some content".utf8)
    private static let name = Array("a.png".utf8)
    private static let checksum = CRC32.checksum(content[...])

    private func zip(_ bytes: [UInt8], limit: Int = 1 << 20, ratio: Int = 10) -> [ArchiveEntry] {
        Array(ZipReader(bytes + ArchiveBuilder.zipEnd, limit: limit, ratio: ratio))
    }

    private func tar(_ bytes: [UInt8], limit: Int = 1 << 20) -> [ArchiveEntry] {
        Array(TarReader(bytes + ArchiveBuilder.tarEnd, limit: limit))
    }

    private func problem(_ entry: ArchiveEntry?) -> String? {
        guard case .failure(let error)? = entry?.content else { return nil }
        return error.description
    }

    /// A raw deflate stream of `bytes`: a gzip member without its header and its trailer.
    private func deflated(_ bytes: [UInt8]) -> [UInt8] { Array(Gzip.compress(bytes).dropFirst(10).dropLast(8)) }

    private func descriptor(_ content: [UInt8], packed: Int, signature: Bool, width: Int) -> [UInt8] {
        (signature ? Array("PK\u{7}\u{8}".utf8) : []) + ArchiveBuilder.number(UInt64(CRC32.checksum(content[...])), 4)
            + ArchiveBuilder.number(UInt64(packed), width) + ArchiveBuilder.number(UInt64(content.count), width)
    }

    @Test(
        "A zip file with an impossible size ends the archive",
        arguments: [
            (0xFFFF_FFFE, nil), (0xFFFF_FFFF, nil), (0xFFFF_FFFF, [.max, .max]), (0xFFFF_FFFF, [12, UInt64(Int.max)]),
            (0xFFFF_FFFF, [12]), (13 + 22, nil),
        ] as [(UInt64, [UInt64]?)]
    )
    func zipSizes(_ size: UInt64, _ zip64: [UInt64]?) {
        let field = zip64.map { $0.flatMap { ArchiveBuilder.number($0, 8) } } ?? []
        let extra = ArchiveBuilder.number(1, 2) + ArchiveBuilder.number(UInt64(field.count), 2) + field
        let file = ArchiveBuilder.zipFile(
            Self.name,
            Self.content,
            checksum: Self.checksum,
            sizes: (size, size),
            extra: zip64 == nil ? [] : extra
        )
        let entries = zip(file)
        // A size that is valid but too large is an error of the file, which has no end.
        #expect((1...2).contains(entries.count) && entries[0].name == "a.png" && problem(entries[0]) != nil)
        #expect(entries.map(\.endsArchive) == (entries.count == 1 ? [true] : [false, true]))
        #expect(problem(entries[entries.count - 1])?.hasSuffix("; the rest of the archive cannot be read") == true)
    }

    @Test("Sizes of 64 bits are read in the order of the specification, beside other fields")
    func zip64() throws {
        let extra =
            ArchiveBuilder.number(0x5455, 2) + ArchiveBuilder.number(1, 2) + [0] + ArchiveBuilder.number(1, 2)
            + ArchiveBuilder.number(16, 2) + ArchiveBuilder.number(12, 8) + ArchiveBuilder.number(12, 8)
        let file = ArchiveBuilder.zipFile(
            Self.name,
            Self.content,
            checksum: Self.checksum,
            sizes: (0xFFFF_FFFF, 0xFFFF_FFFF),
            extra: extra
        )
        let entries = zip(file)
        guard case .success(.stored(let bytes)) = try #require(entries.first).content else {
            Issue.record("expected a stored file")
            return
        }
        #expect(entries.count == 1 && Array(bytes) == Self.content)
    }

    @Test(
        "A data descriptor may have a signature or not, and sizes of four or eight bytes",
        arguments: [(true, 4), (true, 8), (false, 4), (false, 8)],
        [content, []]
    )
    func descriptors(_ form: (signature: Bool, width: Int), _ content: [UInt8]) {
        let packed = deflated(content)
        let file =
            ArchiveBuilder.zipFile(Self.name, packed, flags: 8, method: 8, checksum: 0, sizes: (0, 0))
            + descriptor(content, packed: packed.count, signature: form.signature, width: form.width)
        let entries = zip(file + file)
        #expect(entries.count == 2)
        for case .success(.deflated(let file)) in entries.map(\.content) { #expect((try? file.bytes()) == content) }
        #expect(entries.allSatisfy { problem($0) == nil })
        // With another size, the end of the file is not certain: nothing is taken from it, and the archive ends.
        let wrong = descriptor(content + [0], packed: packed.count, signature: form.signature, width: form.width)
        let header = ArchiveBuilder.zipFile(Self.name, packed, flags: 8, method: 8, checksum: 0, sizes: (0, 0))
        let damaged = zip(header + wrong)
        #expect(damaged.last?.endsArchive == true && damaged.allSatisfy { problem($0) != nil })
    }

    @Test("A file that decompresses to too many bytes is an error, and the next file is read")
    func bombs() {
        let zeros = [UInt8](repeating: 0, count: 1 << 20)
        let (packed, checksum) = (deflated(zeros), CRC32.checksum(zeros[...]))
        let good = ArchiveBuilder.zipFile(Self.name, Self.content, checksum: Self.checksum)
        let sizes = (UInt64(packed.count), UInt64(zeros.count))
        let bomb = ArchiveBuilder.zipFile(Self.name, packed, method: 8, checksum: checksum, sizes: sizes)
        #expect(zip(bomb + good).map(problem) == [ArchiveError.tooLarge(limit: 65_536).description, nil])
        #expect(
            zip(bomb, limit: 1 << 19, ratio: 2000).map(problem) == [ArchiveError.tooLarge(limit: 1 << 19).description]
        )
        #expect(zip(bomb, limit: 1 << 20, ratio: 2000).map(problem) == [nil])
        #expect(zip(good, limit: 11).map(problem) == [ArchiveError.tooLarge(limit: 11).description])
        // A smaller size in the header does not help.
        let lie = ArchiveBuilder.zipFile(Self.name, packed, method: 8, checksum: checksum, sizes: (sizes.0, 1000))
        for case .success(.deflated(let file)) in zip(lie).map(\.content) {
            #expect(throws: ArchiveError.self) { try file.bytes() }
        }
    }

    @Test("The work to find the ends of compressed files is limited by the size of the archive")
    func search() {
        let zeros = [UInt8](repeating: 0, count: 60_000)
        let packed = deflated(zeros)
        let file =
            ArchiveBuilder.zipFile(Self.name, packed, flags: 8, method: 8, checksum: 0, sizes: (0, 0))
            + descriptor(zeros, packed: packed.count, signature: true, width: 4)
        let entries = zip(Array(repeatElement(file, count: 100).joined()))
        let bytes = 100 * file.count + ArchiveBuilder.zipEnd.count
        #expect(entries.count == (65_536 + bytes * 10) / zeros.count + 1)
        #expect(entries.last?.endsArchive == true && entries.dropLast().allSatisfy { problem($0) == nil })
    }

    @Test("A damaged compressed file whose size is known does not affect the others")
    func damaged() throws {
        var packed = deflated(Self.content)
        packed[3] ^= 0x55
        let sizes = (UInt64(packed.count), UInt64(Self.content.count))
        let bad = ArchiveBuilder.zipFile(Self.name, packed, method: 8, checksum: Self.checksum, sizes: sizes)
        let good = ArchiveBuilder.zipFile(Self.name, Self.content, checksum: Self.checksum)
        let wrong = ArchiveBuilder.zipFile(Self.name, Self.content, checksum: Self.checksum ^ 1)
        let entries = zip(bad + wrong + good)
        guard case .success(.deflated(let file)) = try #require(entries.first).content else {
            Issue.record("expected a compressed file")
            return
        }
        #expect(throws: ArchiveError.self) { try file.bytes() }
        #expect(problem(entries[1])?.contains("CRC-32") == true)
        #expect(entries.count == 3 && problem(entries[2]) == nil)
    }

    @Test("A size in a tar header may be octal or binary")
    func tarSizes() {
        let binary = [0x80] + [UInt8](repeating: 0, count: 10) + [12]
        for size in [Array("       14 \u{0}".utf8), Array("14".utf8), binary] {
            let entries = tar(ArchiveBuilder.tarEntry("a.png", Self.content, size: size))
            guard case .success(.stored(let bytes))? = entries.first?.content else {
                Issue.record("expected a file")
                continue
            }
            #expect(entries.count == 1 && Array(bytes) == Self.content)
        }
    }

    @Test(
        "A tar file with an impossible size ends the archive",
        arguments: [
            Array("77777777777".utf8), Array("-1".utf8), Array("1 4".utf8), Array("18".utf8),
            [UInt8](repeating: 0xFF, count: 12), [0x80] + [UInt8](repeating: 0xFF, count: 11),
            [0x80, 0, 0, 0, 0x7F] + [UInt8](repeating: 0xFF, count: 7),
        ]
    )
    func impossibleTarSizes(_ size: [UInt8]) {
        for kind in ["0", "L", "x", "S", "Z"] as [Character] {
            let entries = tar(ArchiveBuilder.tarEntry("a.png", Self.content, kind: kind, size: size))
            #expect(entries.last?.endsArchive == true && entries.count <= 2, "\(kind)")
            #expect(entries.allSatisfy { problem($0) != nil }, "\(kind)")
        }
    }

    @Test(
        "Invalid pax records end the archive",
        arguments: [
            "0 ", "1 ", "2 ", "5 a=b\n", "7 a=b\n", "6 a=bc", "5 a\nb", " a=b\n", "-6 a=b\n",
            "99999999999999999999 a=b\n",
            "999999999 a=b\n", "9 size=\n9", "10 size=-\n", "10 size=x\n", "28 size=9999999999999999999\n", "x",
        ]
    )
    func invalidRecords(_ text: String) {
        let file = ArchiveBuilder.tarEntry("a.png", Self.content)
        for kind in ["x", "g"] as [Character] {
            let entries = tar(ArchiveBuilder.tarEntry("pax", Array(text.utf8), kind: kind) + file)
            #expect(entries.map(\.endsArchive) == [true], "\(kind)")
        }
    }

    @Test("A pax record sets the size and the name of one file")
    func records() {
        let records = Array("11 size=12\n14 path=b.png\n".utf8)
        let attributes = ArchiveBuilder.tarEntry("pax", records, kind: "x")
        let file = ArchiveBuilder.tarEntry("a.png", Self.content, size: Array("0".utf8))
        let entries = tar(attributes + file + ArchiveBuilder.tarEntry("c.png", []))
        #expect(entries.map(\.name) == ["b.png", "c.png"])
        guard case .success(.stored(let bytes))? = entries.first?.content else {
            Issue.record("expected a file")
            return
        }
        #expect(Array(bytes) == Self.content)
    }

    @Test("A name longer than 4,096 bytes is cut and is an error; the next file is read")
    func longNames() {
        let name = [UInt8](repeating: 0x61, count: 4097)
        let files = [name, Self.name].map { ArchiveBuilder.zipFile($0, Self.content, checksum: Self.checksum) }
        let long = ArchiveBuilder.tarEntry("././@LongLink", name + [0], kind: "L")
        let inTar = long + ArchiveBuilder.tarEntry("x", Self.content) + ArchiveBuilder.tarEntry("a.png", Self.content)
        for entries in [zip(Array(files.joined())), tar(inTar)] {
            #expect(entries.map { $0.name?.utf8.count } == [4096, 5])
            #expect(problem(entries[0])?.contains("4096 bytes") == true && problem(entries[1]) == nil)
        }
    }

    @Test("Bytes that are not an archive are one error without a name", arguments: [[], [0x50], [UInt8](0...255)])
    func other(_ bytes: [UInt8]) {
        let large = bytes + [UInt8](repeating: 1, count: 1000)
        for bytes in [bytes, large] {
            #expect(!ZipReader.recognizes(bytes) && !TarReader.recognizes(bytes))
            for entries in [Array(ZipReader(bytes, limit: 10, ratio: 10)), Array(TarReader(bytes, limit: 10))] {
                #expect(entries.count == 1 && entries[0].name == nil && entries[0].endsArchive)
                #expect(problem(entries[0])?.hasPrefix("the body is not a ") == true)
            }
        }
    }
}
