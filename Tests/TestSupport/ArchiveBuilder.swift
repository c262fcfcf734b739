/// Builds parts of zip and tar archives, also invalid ones.
public enum ArchiveBuilder {
    /// Returns the little-endian bytes of `value`.
    public static func number(_ value: UInt64, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
    }

    /// Returns a local header of a zip archive with `content` after it.
    ///
    /// `sizes` are the compressed size and the size, those of `content` unless given.
    public static func zipFile(
        _ name: [UInt8],
        _ content: [UInt8],
        flags: Int = 0,
        method: Int = 0,
        checksum: UInt32,
        sizes: (packed: UInt64, size: UInt64)? = nil,
        extra: [UInt8] = []
    ) -> [UInt8] {
        let sizes = sizes ?? (UInt64(content.count), UInt64(content.count))
        var bytes = Array("PK\u{3}\u{4}".utf8) + number(45, 2) + number(UInt64(flags), 2) + number(UInt64(method), 2)
        bytes += number(0, 4) + number(UInt64(checksum), 4) + number(sizes.packed, 4) + number(sizes.size, 4)
        bytes += number(UInt64(name.count), 2) + number(UInt64(extra.count), 2)
        return bytes + name + extra + content
    }

    /// The end of a zip archive, as of an empty one.
    public static let zipEnd = Array("PK\u{5}\u{6}".utf8) + [UInt8](repeating: 0, count: 18)

    /// Returns a header of a tar archive with `content` after it.
    ///
    /// `size` is the field with the size, that of `content` unless given.
    public static func tarEntry(
        _ name: String,
        _ content: [UInt8],
        kind: Character = "0",
        size: [UInt8]? = nil
    ) -> [UInt8] {
        func octal(_ value: Int, _ count: Int) -> [UInt8] {
            let digits = String(value, radix: 8)
            return Array(String(repeating: "0", count: count - digits.count).utf8) + digits.utf8
        }
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], _ start: Int) { block.replaceSubrange(start..<start + bytes.count, with: bytes) }
        put(Array(name.utf8.prefix(100)), 0)
        put(size ?? octal(content.count, 11), 124)
        put(Array("        ".utf8), 148)
        put([kind.asciiValue ?? 0], 156)
        put(Array("ustar\u{0}00".utf8), 257)
        put(octal(block.reduce(0) { $0 + Int($1) }, 6) + [0, 0x20], 148)
        return block + content + [UInt8](repeating: 0, count: (512 - content.count % 512) % 512)
    }

    /// The end of a tar archive.
    public static let tarEnd = [UInt8](repeating: 0, count: 1024)
}
