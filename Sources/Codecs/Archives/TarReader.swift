/// The files of a tar archive in memory, in order: ustar, pax, GNU tar's long names and large sizes, and the format before
/// ustar.
///
/// Directories, links, devices and other entries that are not files are skipped. Files with holes are errors.
public struct TarReader: Sequence, IteratorProtocol, Sendable {
    private let bytes: [UInt8]
    private let limit: Int
    private var position = 0
    private var isAtEnd = false
    private var global = TarAttributes()

    private static let truncated = "the archive is truncated"
    private static let unrecognized = "the body is not a tar archive"

    /// Creates a reader of the archive in `bytes`; files of more than `limit` bytes are errors.
    public init(_ bytes: [UInt8], limit: Int) {
        self.bytes = bytes
        self.limit = limit
    }

    /// Whether `bytes` start like a tar archive.
    public static func recognizes(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= TarHeader.blockSize else { return false }
        return bytes[257..<262].elementsEqual("ustar".utf8) || TarHeader(bytes[..<TarHeader.blockSize]) != nil
    }

    /// Returns the next file; nil after the last.
    ///
    /// An error that makes the rest of the archive unreadable is an entry too, and the last.
    public mutating func next() -> ArchiveEntry? {
        var attributes = global
        while !isAtEnd {
            let isFirst = position == 0
            guard let block = take(TarHeader.blockSize) else {
                // Programs that write archives end them with blocks of zeros.
                return end(attributes, isFirst ? Self.unrecognized : Self.truncated)
            }
            guard block.contains(where: { $0 != 0 }) else {
                isAtEnd = true
                return nil
            }
            guard let header = TarHeader(block) else {
                return end(attributes, isFirst ? Self.unrecognized : "the header of a file is damaged")
            }
            switch header.kind {
            case .attributes, .globalAttributes, .longName:
                guard let content = content(header.size) else { return end(attributes, Self.truncated) }
                guard read(content, header.kind, &attributes) else {
                    return end(attributes, "the extended header of a file is damaged")
                }
            case .withoutContent: attributes = global
            case .file, .sparse, .other:
                if let entry = entry(header, attributes) { return entry }
                attributes = global
            }
        }
        return nil
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
                guard let map = take(TarHeader.blockSize) else { return end(name, Self.truncated) }
                // Whether another block of the map follows.
                if map[map.startIndex + 504] == 0 { break }
            }
        }
        guard let size = attributes.size ?? header.size else { return end(name, "the size of the file is damaged") }
        guard let content = content(size) else { return end(name, Self.truncated) }
        guard header.kind != .other, bytes.last != UInt8(ascii: "/") else { return nil }
        guard header.kind == .file, !attributes.isSparse else {
            return ArchiveEntry(name, .failure(.invalid("the file is stored with holes (GNU sparse), not as a whole")))
        }
        guard size <= limit else { return ArchiveEntry(name, .failure(.tooLarge(limit: limit))) }
        return ArchiveEntry(name, .success(.stored(content)))
    }

    /// Returns the next `count` bytes; nil if there are fewer.
    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - position else { return nil }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Returns the content of an entry, which is padded to whole blocks; nil if it is not there as a whole.
    private mutating func content(_ size: Int?) -> ArraySlice<UInt8>? {
        guard let size, let content = take(size) else { return nil }
        position = Swift.min(bytes.count, position + (0 &- size) & (TarHeader.blockSize - 1))
        return content
    }

    private mutating func end(_ attributes: TarAttributes, _ problem: String) -> ArchiveEntry {
        end(attributes.name.map { String(decoding: $0, as: UTF8.self) }, problem)
    }

    private mutating func end(_ name: String?, _ problem: String) -> ArchiveEntry {
        isAtEnd = true
        return ArchiveEntry(endOfArchive: name, problem)
    }
}
