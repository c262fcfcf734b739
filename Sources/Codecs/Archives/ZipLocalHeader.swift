/// The header before the content of a file in a zip archive (PKWARE APPNOTE, section 4.3.7).
struct ZipLocalHeader {
    /// Length without the name and the extra fields.
    static let length = 30

    private let flags: Int
    let method: Int
    let checksum: UInt32
    /// Sizes according to the header, or its zip64 field; nil if they do not fit into an integer or a zip64 field is
    /// missing.
    private(set) var compressedSize, size: Int?
    let name: String
    /// Whether the entry is a directory.
    let isDirectory: Bool
    /// Position of the content.
    let end: Int

    /// Whether the content is encrypted, or the header is masked because the directory is.
    var isEncrypted: Bool { flags & (1 << 0 | 1 << 6 | 1 << 13) != 0 }
    /// Whether sizes and checksum follow the content in a data descriptor.
    var hasDescriptor: Bool { flags & 1 << 3 != 0 }

    /// Reads the header at `position`, where its signature is; nil if it is truncated.
    init?(_ bytes: [UInt8], at position: Int) {
        guard bytes.count - position >= Self.length else { return nil }
        func number(_ offset: Int, _ count: Int) -> Int { Self.number(bytes[...], position + offset, count) ?? 0 }
        let nameStart = position + Self.length
        let (nameEnd, extraCount) = (nameStart + number(26, 2), number(28, 2))
        guard nameEnd + extraCount <= bytes.count else { return nil }
        end = nameEnd + extraCount
        (flags, method) = (number(6, 2), number(8, 2))
        checksum = UInt32(truncatingIfNeeded: number(14, 4))
        (compressedSize, size) = (number(18, 4), number(22, 4))
        let rawName = bytes[nameStart..<nameEnd]
        let extra = ZipExtraFields(bytes[nameEnd..<end])
        name = extra.unicodeName(for: rawName) ?? ZipName.decode(rawName, isUTF8: flags & 1 << 11 != 0)
        isDirectory = name.utf8.last == UInt8(ascii: "/")
        // The sizes that are in the zip64 field are there in this order.
        var zip64 = extra.zip64
        if size == 0xFFFF_FFFF { size = Self.takeSize(&zip64) }
        if compressedSize == 0xFFFF_FFFF { compressedSize = Self.takeSize(&zip64) }
    }

    private static func takeSize(_ field: inout ArraySlice<UInt8>) -> Int? {
        defer { field = field.dropFirst(8) }
        return number(field, field.startIndex, 8)
    }

    /// Returns a little-endian number of up to eight bytes at `position`; nil if it is not within `bytes`, or too large
    /// for an integer.
    static func number(_ bytes: ArraySlice<UInt8>, _ position: Int, _ count: Int) -> Int? {
        guard position >= bytes.startIndex, position <= bytes.endIndex, bytes.endIndex - position >= count else {
            return nil
        }
        return Int(exactly: (0..<count).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(bytes[position + $1]) })
    }
}

/// The extra fields of a header (APPNOTE, section 4.5).
private struct ZipExtraFields {
    /// The sizes of a file of 4 GB or more; empty if there are none.
    private(set) var zip64: ArraySlice<UInt8> = []
    private var unicodePath: ArraySlice<UInt8> = []

    /// Reads fields as far as they are well-formed: some programs pad headers with other bytes.
    init(_ bytes: ArraySlice<UInt8>) {
        var rest = bytes
        while let id = ZipLocalHeader.number(rest, rest.startIndex, 2),
            let count = ZipLocalHeader.number(rest, rest.startIndex + 2, 2), count <= rest.count - 4
        {
            let field = rest.dropFirst(4).prefix(count)
            if id == 0x0001 { zip64 = field }
            if id == 0x7075 { unicodePath = field }
            rest = rest.dropFirst(4 + count)
        }
    }

    /// Returns the name in Info-ZIP's Unicode Path field; nil if there is none for `name` (APPNOTE, section 4.6.9).
    func unicodeName(for name: ArraySlice<UInt8>) -> String? {
        guard unicodePath.first == 1,
            let checksum = ZipLocalHeader.number(unicodePath, unicodePath.startIndex + 1, 4),
            CRC32.checksum(name) == checksum
        else { return nil }
        return String(validating: unicodePath.dropFirst(5), as: UTF8.self)
    }
}
