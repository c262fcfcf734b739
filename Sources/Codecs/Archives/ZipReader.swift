/// The files of a zip archive, in the order of their local headers (PKWARE APPNOTE).
///
/// The archive is in memory, or its bytes are added with ``append(_:isLast:)`` as they arrive. The headers are read in
/// sequence, without the directory at the end. Files may be stored or deflated; sizes are those of
/// the header, also in zip64 fields, or those of the data descriptor after a deflated file. Directories are skipped.
/// Encrypted files, other compression methods, and stored files with a data descriptor are errors.
public struct ZipReader: ArchiveReader, Sequence, Sendable {
    private enum Signature {
        static let localHeader = 0x0403_4B50
        static let descriptor = 0x0807_4B50
        /// The records after the last file: the directory, its end (also in zip64), data for decrypting it.
        static let directory: Set = [0x0201_4B50, 0x0605_4B50, 0x0606_4B50, 0x0806_4B50]
    }

    var window: ArchiveWindow
    private let limit, ratio: Int
    private let verifiesChecksums: Bool
    /// Bytes that may still be decompressed to find the ends of files.
    private var searchBudget: Int
    private var isAtEnd = false

    static let wrongChecksum = ArchiveError.invalid("the file is damaged: its checksum (CRC-32) does not match")
    private static let truncated = "the archive is truncated"
    private static let damaged = "the compressed file is damaged or truncated"

    /// Creates a reader of the archive in `bytes`.
    ///
    /// Files of more than `limit` bytes are errors, and so are those that decompress to more than 64 KiB and more than
    /// `ratio` times their compressed size. Fuzzing turns off `verifiesChecksums`, because few mutated files have valid
    /// ones.
    public init(_ bytes: [UInt8], limit: Int, ratio: Int, verifiesChecksums: Bool = true) {
        window = ArchiveWindow(bytes)
        self.limit = limit
        self.ratio = ratio
        self.verifiesChecksums = verifiesChecksums
        searchBudget = 65_536
        extendSearchBudget(bytes.count)
    }

    /// Creates a reader of an archive whose bytes follow.
    public init(limit: Int, ratio: Int) {
        self.init([], limit: limit, ratio: ratio)
        window.isComplete = false
    }

    /// Bytes that have arrived and were not read yet.
    public var bufferedBytes: Int { window.unreadBytes }

    /// Adds the next bytes of the archive.
    public mutating func append(_ bytes: [UInt8], isLast: Bool) {
        window.append(bytes, isLast: isLast)
        extendSearchBudget(bytes.count)
    }

    private mutating func extendSearchBudget(_ count: Int) {
        let (sum, overflow) = searchBudget.addingReportingOverflow(count.multipliedClamping(by: ratio))
        searchBudget = overflow ? .max : sum
    }

    private var bytes: [UInt8] { window.bytes }
    private var position: Int {
        get { window.position }
        set { window.position = newValue }
    }

    /// Whether `bytes` start like a zip archive, perhaps an empty one.
    public static func recognizes(_ bytes: [UInt8]) -> Bool {
        let signature = ZipLocalHeader.number(bytes[...], 0, 4)
        return signature == Signature.localHeader || signature == 0x0605_4B50
    }

    /// Returns the next file; nil after the last.
    ///
    /// An error that makes the rest of the archive unreadable is an entry too, and the last.
    public mutating func next() -> ArchiveEntry? {
        if case .entry(let entry) = step() { entry } else { nil }
    }

    /// Returns the next file, or that the end is reached, or that more bytes are needed to tell.
    public mutating func step() -> ArchiveStep {
        while true {
            let (budget, start) = (searchBudget, window.position)
            let item = isAtEnd ? .end : item()
            if let missing = window.missing {
                window.rewind(to: start)
                (searchBudget, isAtEnd) = (budget, false)
                return .needsMore(missing)
            }
            switch item {
            case .entry(let entry): return .entry(entry)
            case .other: continue
            case .end: return .end
            }
        }
    }

    private mutating func item() -> ArchiveItem {
        let signature = ZipLocalHeader.number(bytes[...], position, 4)
        guard signature == Signature.localHeader else {
            if let signature, Signature.directory.contains(signature) {
                isAtEnd = true
                return .end
            }
            guard signature != nil || window.isComplete else { return .entry(cut(nil, Self.truncated)) }
            guard !window.isAtStart else { return .entry(end(nil, "the body is not a zip archive")) }
            return .entry(end(nil, signature == nil ? Self.truncated : "the header of a file is damaged"))
        }
        guard let header = ZipLocalHeader(bytes, at: position) else { return .entry(cut(nil, Self.truncated)) }
        let isSearched = header.hasDescriptor && header.method == 8 && !header.isEncrypted
        let entry = isSearched ? searched(header) : delimited(header)
        return entry.endsArchive || !header.isDirectory ? .entry(entry) : .other
    }

    /// Returns a file whose content ends where its deflate stream ends, with sizes and checksum in a data descriptor.
    private mutating func searched(_ header: ZipLocalHeader) -> ArchiveEntry {
        let extent: Inflate.Extent
        do {
            extent = try Inflate.extent(of: bytes[header.end...], limit: searchBudget)
        } catch {
            switch error {
            // The search starts over each time, so it waits for many bytes.
            case .truncated: return cut(header.name, Self.damaged, missing: (bytes.count - header.end) / 4)
            case .invalid: return end(header.name, Self.damaged)
            case .wrongLength:
                // The budget grows with the bytes that arrive.
                let problem = "the archive decompresses to too many bytes for its size (\(ratio) times)"
                return cut(header.name, problem, missing: (bytes.count - header.end) / 4)
            }
        }
        searchBudget -= extent.size
        let packed = bytes[header.end..<header.end + extent.packed]
        guard hasDescriptor(at: packed.endIndex) else { return cut(header.name, Self.truncated) }
        guard let descriptor = descriptor(at: packed.endIndex, compressedSize: extent.packed, size: extent.size) else {
            return end(
                header.name,
                "the data descriptor after the file does not have its size, or is truncated"
            )
        }
        position = descriptor.end
        guard !verifiesChecksums || descriptor.checksum == extent.checksum else {
            return ArchiveEntry(header.name, .failure(Self.wrongChecksum))
        }
        return deflated(header.name, packed, count: extent.size, checksum: extent.checksum)
    }

    /// Returns a file whose header has its size.
    private mutating func delimited(_ header: ZipLocalHeader) -> ArchiveEntry {
        guard let packedCount = header.compressedSize, let size = header.size else {
            return end(header.name, "the size of the file is damaged, or has more than 63 bits")
        }
        let refusal = refusal(of: header)
        if !header.hasDescriptor, header.isDirectory || refusal != nil || packedCount > limit {
            // The bytes of an entry that is not read are not kept until they are all there.
            position = header.end
            window.skip(packedCount)
            return ArchiveEntry(header.name, .failure(refusal.map { .invalid($0) } ?? .tooLarge(limit: limit)))
        }
        guard packedCount <= bytes.count - header.end else {
            return cut(header.name, Self.truncated, missing: packedCount - (bytes.count - header.end))
        }
        let packed = bytes[header.end..<header.end + packedCount]
        if header.hasDescriptor {
            guard hasDescriptor(at: packed.endIndex) else { return cut(header.name, Self.truncated) }
            guard let descriptor = descriptor(at: packed.endIndex, compressedSize: packedCount, size: size) else {
                return end(header.name, refusal ?? Self.truncated)
            }
            position = descriptor.end
        } else {
            position = packed.endIndex
        }
        if let refusal { return ArchiveEntry(header.name, .failure(.invalid(refusal))) }
        let checksum = verifiesChecksums ? header.checksum : nil
        guard header.method == 0 else { return deflated(header.name, packed, count: size, checksum: checksum) }
        guard size == packedCount else {
            return ArchiveEntry(header.name, .failure(.invalid("the file is damaged: it has two different sizes")))
        }
        guard size <= limit else { return ArchiveEntry(header.name, .failure(.tooLarge(limit: limit))) }
        if let checksum, CRC32.checksum(packed) != checksum {
            return ArchiveEntry(header.name, .failure(Self.wrongChecksum))
        }
        return ArchiveEntry(header.name, .success(.stored(packed)))
    }

    private func deflated(
        _ name: String,
        _ packed: ArraySlice<UInt8>,
        count: Int,
        checksum: UInt32?
    ) -> ArchiveEntry {
        let most = Gzip.limit(limit, count: packed.count, ratio: ratio)
        guard count <= most else { return ArchiveEntry(name, .failure(.tooLarge(limit: most))) }
        return ArchiveEntry(name, .success(.deflated(DeflatedFile(packed, count: count, checksum: checksum))))
    }

    /// Returns why a file is not supported; nil if it is.
    private func refusal(of header: ZipLocalHeader) -> String? {
        if header.isEncrypted { return "the file is encrypted" }
        switch header.method {
        case 8: return nil
        case 0 where header.hasDescriptor:
            return
                "the file is stored with its size after it (data descriptor); compress it, or write the archive to a file"
        case 0: return nil
        case let method:
            return "the file has the unsupported compression method \(method); use deflate, or store the file"
        }
    }

    /// Whether a data descriptor at `position` has arrived, also one with a signature and long sizes.
    private func hasDescriptor(at position: Int) -> Bool { window.isComplete || bytes.count - position >= 24 }

    /// Returns the checksum in a data descriptor at `position` and its end; nil if none with these sizes is there.
    ///
    /// The signature is optional, and the sizes have eight bytes in zip64 (APPNOTE, section 4.3.9). A descriptor with
    /// short sizes cannot be taken for one with long sizes, because headers follow it.
    private func descriptor(
        at position: Int,
        compressedSize: Int,
        size: Int
    ) -> (checksum: UInt32, end: Int)? {
        func number(_ position: Int, _ count: Int) -> Int? { ZipLocalHeader.number(bytes[...], position, count) }
        for start in number(position, 4) == Signature.descriptor ? [position + 4, position] : [position] {
            for width in [8, 4] {
                if let checksum = number(start, 4), number(start + 4, width) == compressedSize,
                    number(start + 4 + width, width) == size
                {
                    return (UInt32(truncatingIfNeeded: checksum), start + 4 + 2 * width)
                }
            }
        }
        return nil
    }

    /// Ends the archive at the end of the bytes, unless more can follow.
    private mutating func cut(_ name: String?, _ problem: String, missing: Int = 1) -> ArchiveEntry {
        end(name, window.wantsMore(missing, from: position, limit: limit) ?? problem)
    }

    private mutating func end(_ name: String?, _ problem: String) -> ArchiveEntry {
        isAtEnd = true
        return ArchiveEntry(endOfArchive: name, problem)
    }
}
