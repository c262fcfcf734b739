import Codecs

/// A zip archive in memory, the container of NumPy's .npz (PKWARE APPNOTE).
///
/// Supports stored and deflated entries, and the zip64 fields that NumPy writes into the local headers of small files,
/// but neither entries of more than 4 GB nor encryption. The directory, the local headers and the contents are stored
/// redundantly, and everything that must agree is compared.
package struct ZipArchive: Sendable {
    /// The fields that the directory and the local header of an entry have in common.
    private struct Header: Equatable {
        var versionNeeded, flags, method, time, date, checksum, compressedSize, size: Int
        var name: ArraySlice<UInt8>
    }

    private struct Entry {
        let header: Header
        let localHeader: Int
    }

    private let bytes: [UInt8]
    private let file: String
    private let verifiesChecksums: Bool
    private var entries: [String: Entry] = [:]

    /// The largest size of a decompressed entry in bytes.
    private static let maximumEntry = 4 << 30
    /// The value of a 32-bit size that is stored in a zip64 field instead.
    private static let inZip64 = 0xFFFF_FFFF
    /// The bit of the flags that says that the sizes and the checksum follow the contents.
    private static let sizesFollow = 1 << 3

    /// Reads the directory of the archive in `bytes`; `file` is its name in error messages.
    ///
    /// Fuzzing turns off `verifiesChecksums`, because few mutated files have valid ones.
    package init(_ bytes: [UInt8], file: String, verifiesChecksums: Bool = true) throws(DataError) {
        self.bytes = bytes
        self.file = file
        self.verifiesChecksums = verifiesChecksums
        // The end record is followed by a comment of at most 65,535 bytes.
        let earliest = max(0, bytes.count - 22 - 65_535)
        guard bytes.count >= 22,
            let end = stride(from: bytes.count - 22, through: earliest, by: -1).first(where: {
                bytes[$0] == 0x50 && Self.number(bytes, $0, 4) == 0x0605_4B50
                    && $0 + 22 + Self.number(bytes, $0 + 20, 2) == bytes.count
            })
        else { throw DataError(file, "is not a zip archive, or is truncated") }
        let count = Self.number(bytes, end + 10, 2)
        var place = Self.number(bytes, end + 16, 4)
        let isWhole =
            Self.number(bytes, end + 4, 4) == 0 && Self.number(bytes, end + 8, 2) == count
            && place + Self.number(bytes, end + 12, 4) == end
        guard isWhole else { throw DataError(file, "the end of its directory is damaged") }
        for _ in 0..<count {
            guard place + 46 <= end, Self.number(bytes, place, 4) == 0x0201_4B50 else {
                throw DataError(file, "its directory is damaged")
            }
            let nameLength = Self.number(bytes, place + 28, 2)
            let rest = nameLength + Self.number(bytes, place + 30, 2) + Self.number(bytes, place + 32, 2)
            guard place + 46 + rest <= end else { throw DataError(file, "its directory is truncated") }
            let header = Self.header(bytes, place + 6, name: bytes[place + 46..<place + 46 + nameLength])
            let name = String(decoding: header.name, as: UTF8.self)
            guard header.flags & 1 == 0 else { throw DataError(file, "\(name) is encrypted") }
            guard Self.number(bytes, place + 34, 2) == 0, entries[name] == nil else {
                throw DataError(file, "the directory entry of \(name) is damaged")
            }
            entries[name] = Entry(header: header, localHeader: Self.number(bytes, place + 42, 4))
            place += 46 + rest
        }
        guard place == end else { throw DataError(file, "its directory has more entries than it says") }
        // All of them, because an entry with a damaged name would otherwise seem to be missing.
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) { _ = try contentStart(of: entry, name) }
    }

    /// The names of the entries.
    package var names: [String] { entries.keys.sorted() }

    /// Returns the decompressed bytes of the entry named `name`.
    ///
    /// Throws an error that names the entry if it is damaged in any way.
    package func contents(of name: String) throws(DataError) -> [UInt8] {
        guard let entry = entries[name] else { throw DataError(file, "has no entry \(name)") }
        let header = entry.header
        guard header.size < Self.maximumEntry, header.compressedSize != Self.inZip64 else {
            throw DataError(file, "\(name) is larger than 4 GB")
        }
        let start = try contentStart(of: entry, name)
        guard start + header.compressedSize <= bytes.count else { throw DataError(file, "\(name) is truncated") }
        let content = try unpacked(bytes[start..<start + header.compressedSize], header, name)
        guard !verifiesChecksums || CRC32.checksum(content[...]) == header.checksum else {
            throw DataError(file, "\(name) is damaged: its checksum (CRC-32) does not match")
        }
        return content
    }

    /// Returns where the contents of `entry` start; throws an error unless its local header agrees with the directory.
    private func contentStart(of entry: Entry, _ name: String) throws(DataError) -> Int {
        let place = entry.localHeader
        guard place + 30 <= bytes.count, Self.number(bytes, place, 4) == 0x0403_4B50 else {
            throw DataError(file, "\(name) is not where the directory says")
        }
        let nameEnd = place + 30 + Self.number(bytes, place + 26, 2)
        let start = nameEnd + Self.number(bytes, place + 28, 2)
        guard start <= bytes.count else { throw DataError(file, "\(name) is truncated") }
        var local = Self.header(bytes, place + 4, name: bytes[place + 30..<nameEnd])
        if local.size == Self.inZip64, local.compressedSize == Self.inZip64 {
            (local.size, local.compressedSize) = try zip64Sizes(nameEnd..<start, name)
        }
        if local.flags & Self.sizesFollow != 0, local.size == 0, local.compressedSize == 0, local.checksum == 0 {
            (local.size, local.compressedSize) = (entry.header.size, entry.header.compressedSize)
            local.checksum = entry.header.checksum
        }
        guard local == entry.header else {
            throw DataError(file, "\(name) is damaged: its header does not match the directory")
        }
        return start
    }

    /// Returns the sizes in the zip64 field of a local header's extra fields, which are in `range`.
    private func zip64Sizes(_ range: Range<Int>, _ name: String) throws(DataError) -> (size: Int, compressed: Int) {
        guard range.count == 20, Self.number(bytes, range.lowerBound, 4) == 0x0010_0001,
            Self.number(bytes, range.lowerBound + 8, 4) == 0, Self.number(bytes, range.lowerBound + 16, 4) == 0
        else { throw DataError(file, "\(name) is larger than 4 GB, or its header is damaged") }
        return (Self.number(bytes, range.lowerBound + 4, 4), Self.number(bytes, range.lowerBound + 12, 4))
    }

    private func unpacked(_ packed: ArraySlice<UInt8>, _ header: Header, _ name: String) throws(DataError) -> [UInt8] {
        switch header.method {
        case 0:
            guard packed.count == header.size else {
                throw DataError(file, "\(name) does not have the declared length")
            }
            return Array(packed)
        case 8:
            // Deflate compresses by at most a factor of about 1,032, so a larger declared size is invalid.
            guard header.size <= packed.count * 1100 + 1024 else {
                throw DataError(file, "\(name) has an invalid size")
            }
            do {
                return try Inflate.decompress(packed, count: header.size)
            } catch {
                throw DataError(file, "\(name) is damaged: it cannot be decompressed")
            }
        default: throw DataError(file, "\(name) has unsupported compression method \(header.method)")
        }
    }

    /// Reads the common fields at `place`, where the version is.
    private static func header(_ bytes: [UInt8], _ place: Int, name: ArraySlice<UInt8>) -> Header {
        Header(
            versionNeeded: number(bytes, place, 2),
            flags: number(bytes, place + 2, 2),
            method: number(bytes, place + 4, 2),
            time: number(bytes, place + 6, 2),
            date: number(bytes, place + 8, 2),
            checksum: number(bytes, place + 10, 4),
            compressedSize: number(bytes, place + 14, 4),
            size: number(bytes, place + 18, 4),
            name: name
        )
    }

    /// Reads a little-endian number of `count` bytes at `place`, which must be within bounds.
    private static func number(_ bytes: [UInt8], _ place: Int, _ count: Int) -> Int {
        (0..<count).reversed().reduce(0) { $0 << 8 | Int(bytes[place + $1]) }
    }
}
