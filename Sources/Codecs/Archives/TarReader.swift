/// The files of a tar archive, in order: ustar, pax, GNU tar's long names and large sizes, and the format before
/// ustar.
///
/// The archive is in memory, or its bytes are added with ``append(_:isLast:)`` as they arrive. Directories, links,
/// devices and other entries that are not files are skipped. Files with holes are errors.
public struct TarReader: ArchiveReader, Sequence, Sendable {
    var window: ArchiveWindow
    private let limit: Int
    private var isAtEnd = false
    private var global = TarAttributes()
    /// Where the current item starts, with the headers that precede a file.
    private var itemStart = 0

    private static let truncated = "the archive is truncated"
    private static let unrecognized = "the body is not a tar archive"

    /// Creates a reader of the archive in `bytes`; files of more than `limit` bytes are errors.
    public init(_ bytes: [UInt8], limit: Int) {
        window = ArchiveWindow(bytes)
        self.limit = limit
    }

    /// Creates a reader of an archive whose bytes follow.
    public init(limit: Int) {
        self.init([], limit: limit)
        window.isComplete = false
    }

    /// Bytes that have arrived and were not read yet.
    public var bufferedBytes: Int { window.unreadBytes }

    /// Adds the next bytes of the archive.
    public mutating func append(_ bytes: [UInt8], isLast: Bool) { window.append(bytes, isLast: isLast) }

    /// Whether `bytes` start like a tar archive.
    public static func recognizes(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= TarHeader.blockSize else { return false }
        return bytes[257..<262].elementsEqual("ustar".utf8) || TarHeader(bytes[..<TarHeader.blockSize]) != nil
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
            let (start, attributes) = (window.position, global)
            itemStart = start
            let item = isAtEnd ? .end : item()
            if let missing = window.missing {
                // What precedes a file is read again each time, so long headers wait for many bytes.
                let preceding = window.position - start
                window.rewind(to: start)
                (global, isAtEnd) = (attributes, false)
                return .needsMore(Swift.max(missing, preceding > 65_536 ? preceding / 4 : 0))
            }
            switch item {
            case .entry(let entry): return .entry(entry)
            case .other: continue
            case .end: return .end
            }
        }
    }

    /// Reads an entry with the attributes that precede it.
    private mutating func item() -> ArchiveItem {
        var attributes = global
        while true {
            let isFirst = window.isAtStart
            guard let block = take(TarHeader.blockSize) else {
                // Programs that write archives end them with blocks of zeros.
                return .entry(cut(attributes.fileName, isFirst ? Self.unrecognized : Self.truncated))
            }
            guard block.contains(where: { $0 != 0 }) else {
                isAtEnd = true
                return .end
            }
            guard let header = TarHeader(block) else {
                let problem = isFirst ? Self.unrecognized : "the header of a file is damaged"
                return .entry(end(attributes.fileName, problem))
            }
            switch header.kind {
            case .attributes, .globalAttributes, .longName:
                guard let content = content(header.size) else {
                    return .entry(cut(attributes.fileName, Self.truncated))
                }
                guard read(content, header.kind, &attributes) else {
                    return .entry(end(attributes.fileName, "the extended header of a file is damaged"))
                }
            case .withoutContent: return .other
            case .file, .sparse, .other: return entry(header, attributes).map { .entry($0) } ?? .other
            }
        }
    }

    /// Reads the attributes that an entry holds for others; returns whether they are valid.
    private mutating func read(
        _ content: ArraySlice<UInt8>,
        _ kind: TarHeader.Kind,
        _ attributes: inout TarAttributes
    ) -> Bool {
        switch kind {
        case .globalAttributes:
            guard global.read(content) else { return false }
            return attributes.read(content)
        case .attributes: return attributes.read(content)
        default:
            attributes.path = content.prefix { $0 != 0 }
            return true
        }
    }

    /// Returns the file of `header`, whose content is next; nil if it is not a file.
    private mutating func entry(_ header: TarHeader, _ attributes: TarAttributes) -> ArchiveEntry? {
        let bytes = attributes.name ?? header.name[...]
        let name = String(decoding: bytes, as: UTF8.self)
        if header.kind == .sparse(hasMap: true) {
            while true {
                guard let map = take(TarHeader.blockSize) else { return cut(name, Self.truncated) }
                // Whether another block of the map follows.
                if map[map.startIndex + 504] == 0 { break }
            }
        }
        guard let size = attributes.size ?? header.size else { return end(name, "the size of the file is damaged") }
        // The content of an entry that is not read is not kept until it is all there.
        guard header.kind != .other, bytes.last != UInt8(ascii: "/") else {
            skip(size)
            return nil
        }
        guard header.kind == .file, !attributes.isSparse else {
            skip(size)
            return ArchiveEntry(name, .failure(.invalid("the file is stored with holes (GNU sparse), not as a whole")))
        }
        guard size <= limit else {
            skip(size)
            return ArchiveEntry(name, .failure(.tooLarge(limit: limit)))
        }
        guard let content = content(size) else {
            return cut(name, Self.truncated, missing: size - (window.bytes.count - window.position))
        }
        return ArchiveEntry(name, .success(.stored(content)))
    }

    /// Moves behind a content of `size` bytes, which may not have arrived.
    private mutating func skip(_ size: Int) {
        window.skip(size)
        window.skip(Self.padding(after: size))
    }

    /// Returns the next `count` bytes; nil if there are fewer.
    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= window.bytes.count - window.position else { return nil }
        defer { window.position += count }
        return window.bytes[window.position..<window.position + count]
    }

    /// Returns the content of an entry, which is padded to whole blocks; nil if it is not there as a whole.
    private mutating func content(_ size: Int?) -> ArraySlice<UInt8>? {
        guard let size, let content = take(size) else { return nil }
        let (padding, rest) = (Self.padding(after: size), window.bytes.count - window.position)
        // A complete archive may end without its padding.
        guard padding <= rest || window.isComplete else { return nil }
        window.position += Swift.min(padding, rest)
        return content
    }

    private static func padding(after size: Int) -> Int { (0 &- size) & (TarHeader.blockSize - 1) }

    /// Ends the archive at the end of the bytes, unless more can follow.
    private mutating func cut(_ name: String?, _ problem: String, missing: Int = 1) -> ArchiveEntry {
        end(name, window.wantsMore(missing, from: itemStart, limit: limit) ?? problem)
    }

    private mutating func end(_ name: String?, _ problem: String) -> ArchiveEntry {
        isAtEnd = true
        return ArchiveEntry(endOfArchive: name, problem)
    }
}
