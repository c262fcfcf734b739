import Codecs

/// Archives of images: contents stay within their limits, and files can be packed and read again.
extension FuzzTarget {
    static func runZip(_ bytes: [UInt8]) {
        let (limit, ratio) = (1 << 17, 100)
        let most = min(limit, max(65_536, bytes.count * ratio))
        let whole = Array(ZipReader(bytes, limit: limit, ratio: ratio, verifiesChecksums: false))
        checkPieces(bytes, ZipReader(limit: limit, ratio: ratio), ZipReader(bytes, limit: limit, ratio: ratio))
        let files = contents(of: whole, most)
        require(files.count <= bytes.count / 30, "every file has a header")
        // The original may be compressed less well than zlib compresses it.
        check(Array(ZipReader(packedZip(files), limit: limit, ratio: 2000)), files)
    }

    static func runTar(_ bytes: [UInt8]) {
        // The fuzzer does not find checksums.
        let bytes = withChecksums(bytes)
        checkPieces(bytes, TarReader(limit: 1 << 10), TarReader(bytes, limit: 1 << 10))
        let files = contents(of: Array(TarReader(bytes, limit: 1 << 10)), 1 << 10)
        require(files.count <= bytes.count / 512, "every file has a header")
        require(files.isEmpty || TarReader.recognizes(bytes), "an archive with a file is recognized")
        check(Array(TarReader(packedTar(files), limit: 1 << 10)), files)
    }

    /// The split of an archive does not matter: `reader` finds the files that `whole` does.
    private static func checkPieces<Reader: ArchiveReader>(_ bytes: [UInt8], _ reader: Reader, _ whole: Reader) {
        var (reader, whole) = (reader, whole)
        var pieces = Pieces(of: bytes, longest: 400)
        var rest = bytes[...]
        repeat {
            let piece = rest.prefix(pieces.next())
            rest = rest.dropFirst(piece.count)
            reader.append(Array(piece), isLast: rest.isEmpty)
            while case .entry(let entry) = reader.step() {
                let expected = whole.next()
                require(entry.name == expected?.name, "an archive in pieces has the same names")
                require(entry.endsArchive == expected?.endsArchive, "an archive in pieces ends at the same place")
                require(problem(entry) == expected.flatMap(problem), "an archive in pieces has the same errors")
                require(bytesOf(entry) == expected.flatMap(bytesOf), "an archive in pieces has the same contents")
            }
        } while !rest.isEmpty
        require(whole.next() == nil, "an archive in pieces has all files")
    }

    private static func problem(_ entry: ArchiveEntry) -> String? {
        if case .failure(let error) = entry.content { "\(error)" } else { nil }
    }

    private static func bytesOf(_ entry: ArchiveEntry) -> [UInt8]? {
        switch entry.content {
        case .failure: nil
        case .success(.stored(let bytes)): Array(bytes)
        case .success(.deflated(let file)): try? file.bytes()
        }
    }

    private typealias File = (name: String, bytes: [UInt8])

    /// The files that can be read.
    private static func contents(of entries: [ArchiveEntry], _ limit: Int) -> [File] {
        require(entries.dropLast().allSatisfy { !$0.endsArchive }, "only the last entry ends an archive")
        return entries.compactMap { entry in
            require((entry.name?.utf8.count ?? 0) <= ArchiveEntry.nameLimit + 2, "names are short")
            guard let name = entry.name else {
                require(entry.endsArchive, "a file has a name")
                return nil
            }
            switch entry.content {
            case .failure: return nil
            case .success(.stored(let bytes)):
                require(bytes.count <= limit, "a file stays within its limit")
                return (name, Array(bytes))
            case .success(.deflated(let file)):
                require(file.count <= limit, "a file stays within its limit")
                guard let bytes = try? file.bytes() else { return nil }
                require(bytes.count == file.count, "a file has the announced size")
                let start = file.prefix(29)
                require(start.map { bytes.starts(with: $0) } ?? false, "the first bytes are those of the file")
                return (name, bytes)
            }
        }
    }

    private static func check(_ entries: [ArchiveEntry], _ files: [File]) {
        require(entries.map(\.name) == files.map(\.name), "names survive packing")
        for (entry, file) in Swift.zip(entries, files) {
            switch entry.content {
            case .failure(let error): require(false, "a packed file can be read: \(error)")
            case .success(.stored(let bytes)): require(Array(bytes) == file.bytes, "contents survive packing")
            case .success(.deflated(let packed)):
                require((try? packed.bytes()) == file.bytes, "contents survive packing")
            }
        }
    }

    /// A zip archive of `files`, stored and deflated in turn, the latter with data descriptors.
    private static func packedZip(_ files: [File]) -> [UInt8] {
        func number(_ value: Int, _ count: Int) -> [UInt8] {
            (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }
        var archive: [UInt8] = []
        for (index, file) in files.enumerated() {
            let isDeflated = index % 2 == 1
            let packed = isDeflated ? Array(Gzip.compress(file.bytes).dropFirst(10).dropLast(8)) : file.bytes
            let checksum = number(Int(CRC32.checksum(file.bytes[...])), 4)
            let sizes = checksum + number(packed.count, 4) + number(file.bytes.count, 4)
            // The flags for UTF-8 and for a data descriptor.
            let flags = 1 << 11 | (isDeflated ? 8 : 0)
            archive += "PK\u{3}\u{4}".utf8 + number(20, 2) + number(flags, 2)
            archive += number(isDeflated ? 8 : 0, 2) + number(0, 4) + (isDeflated ? number(0, 12) : sizes)
            archive += number(file.name.utf8.count, 2) + number(0, 2) + file.name.utf8 + packed
            if isDeflated { archive += "PK\u{7}\u{8}".utf8 + sizes }
        }
        return archive + "PK\u{5}\u{6}".utf8 + number(0, 18)
    }

    /// A tar archive of `files` with pax records for the names.
    private static func packedTar(_ files: [File]) -> [UInt8] {
        files.flatMap { file -> [UInt8] in
            // The length counts its own digits.
            let rest = " path=\(file.name)\n"
            var length = rest.utf8.count
            while length < rest.utf8.count + String(length).utf8.count { length += 1 }
            let records = file.name.isEmpty ? [] : entry(Array("\(length)\(rest)".utf8), kind: "x")
            return records + entry(file.bytes, kind: "0")
        } + [UInt8](repeating: 0, count: 1024)
    }

    private static func entry(_ content: [UInt8], kind: Character) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        let digits = Array(String(content.count, radix: 8).utf8)
        block.replaceSubrange(124..<124 + digits.count, with: digits)
        block[156] = kind.asciiValue ?? 0
        return setChecksum(of: block) + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// Corrects the checksum of every block that could be a header, so that mutated files are read too.
    private static func withChecksums(_ bytes: [UInt8]) -> [UInt8] {
        stride(from: 0, to: bytes.count, by: 512).flatMap { start -> [UInt8] in
            let block = Array(bytes[start..<min(start + 512, bytes.count)])
            // A header is marked by digits in the place of its checksum.
            guard block.count == 512, (0x30...0x37).contains(block[148]) else { return block }
            return setChecksum(of: block)
        }
    }

    private static func setChecksum(of block: [UInt8]) -> [UInt8] {
        var block = block
        block.replaceSubrange(148..<156, with: Array("        ".utf8))
        let sum = Array(String(block.reduce(0) { $0 + Int($1) }, radix: 8).utf8)
        block.replaceSubrange(148..<148 + sum.count, with: sum)
        return block
    }
}
