import Codecs

/// A zip archive in memory, the container of NumPy's .npz (PKWARE APPNOTE).
///
/// Supports stored and deflated entries, but neither zip64 nor encryption.
package struct ZipArchive {
    private struct Entry {
        let method: Int
        let compressedSize: Int
        let size: Int
        let localHeader: Int
    }

    private let bytes: [UInt8]
    private let file: String
    private var entries: [String: Entry] = [:]

    /// The largest size of a decompressed entry in bytes.
    private static let maximumEntry = 4 << 30

    /// Reads the directory of the archive in `bytes`; `file` is its name in error messages.
    package init(_ bytes: [UInt8], file: String) throws(DataError) {
        self.bytes = bytes
        self.file = file
        // The end record is followed by a comment of at most 65,535 bytes.
        let earliest = max(0, bytes.count - 22 - 65_535)
        guard bytes.count >= 22,
            let end = stride(from: bytes.count - 22, through: earliest, by: -1).first(where: {
                bytes[$0] == 0x50 && Self.number(bytes, $0, 4) == 0x0605_4B50
            })
        else { throw DataError(file, "is not a zip archive, or is truncated") }
        var place = Self.number(bytes, end + 16, 4)
        for _ in 0..<Self.number(bytes, end + 10, 2) {
            guard place + 46 <= bytes.count, Self.number(bytes, place, 4) == 0x0201_4B50 else {
                throw DataError(file, "its directory is invalid")
            }
            let nameLength = Self.number(bytes, place + 28, 2)
            let rest = nameLength + Self.number(bytes, place + 30, 2) + Self.number(bytes, place + 32, 2)
            guard place + 46 + rest <= bytes.count else { throw DataError(file, "its directory is truncated") }
            let name = String(decoding: bytes[place + 46..<place + 46 + nameLength], as: UTF8.self)
            guard Self.number(bytes, place + 8, 2) & 1 == 0 else { throw DataError(file, "\(name) is encrypted") }
            entries[name] = Entry(
                method: Self.number(bytes, place + 10, 2),
                compressedSize: Self.number(bytes, place + 20, 4),
                size: Self.number(bytes, place + 24, 4),
                localHeader: Self.number(bytes, place + 42, 4)
            )
            place += 46 + rest
        }
    }

    /// The names of the entries.
    package var names: [String] { entries.keys.sorted() }

    /// Returns the decompressed bytes of the entry named `name`.
    package func contents(of name: String) throws(DataError) -> [UInt8] {
        guard let entry = entries[name] else { throw DataError(file, "has no entry \(name)") }
        guard entry.size < Self.maximumEntry, entry.compressedSize != 0xFFFF_FFFF else {
            throw DataError(file, "\(name) is larger than 4 GB")
        }
        let header = entry.localHeader
        guard header + 30 <= bytes.count, Self.number(bytes, header, 4) == 0x0403_4B50 else {
            throw DataError(file, "\(name) is not where the directory says")
        }
        let start = header + 30 + Self.number(bytes, header + 26, 2) + Self.number(bytes, header + 28, 2)
        guard start + entry.compressedSize <= bytes.count else { throw DataError(file, "\(name) is truncated") }
        let packed = bytes[start..<start + entry.compressedSize]
        switch entry.method {
        case 0:
            guard packed.count == entry.size else { throw DataError(file, "\(name) does not have the declared length") }
            return Array(packed)
        case 8:
            // Deflate compresses by at most a factor of about 1,032, so a larger declared size is invalid.
            guard entry.size <= packed.count * 1100 + 1024 else { throw DataError(file, "\(name) has an invalid size") }
            do {
                return try Inflate.decompress(packed, count: entry.size)
            } catch {
                throw DataError(file, "\(name) cannot be decompressed")
            }
        default: throw DataError(file, "\(name) has unsupported compression method \(entry.method)")
        }
    }

    /// Reads a little-endian number of `count` bytes at `place`, which must be within bounds.
    private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
    }
}
