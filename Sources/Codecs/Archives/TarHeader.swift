/// The header block of an entry of a tar archive (POSIX ustar format, GNU tar's variant of it, and the older format
/// without a magic number).
struct TarHeader {
    /// Length of a block in bytes.
    static let blockSize = 512

    /// The kinds of entries.
    enum Kind: Equatable {
        /// In the older format also a directory, whose name ends with a slash.
        case file
        /// A file with holes in GNU tar's format. With `hasMap`, blocks with a map follow.
        case sparse(hasMap: Bool)
        /// Attributes of the next entry, or of all later ones, as pax records.
        case attributes, globalAttributes
        /// The name of the next entry.
        case longName
        /// A link, a directory or a device, without content whatever its size says.
        case withoutContent
        /// An entry with content that is not a file.
        case other
    }

    let kind: Kind
    /// The name in the header, which a preceding entry may replace.
    let name: [UInt8]
    /// Size of the content; nil if it is not valid.
    let size: Int?

    /// Reads a block; nil unless its checksum is valid.
    init?(_ block: ArraySlice<UInt8>) {
        guard block.count == Self.blockSize else { return nil }
        func field(_ start: Int, _ count: Int) -> ArraySlice<UInt8> {
            block[block.startIndex + start..<block.startIndex + start + count]
        }
        let stored = field(148, 8)
        // The field itself counts as spaces. Some old programs added signed bytes.
        let others = block.reduce(0) { $0 + Int($1) } - stored.reduce(0) { $0 + Int($1) } + 8 * 0x20
        let signed =
            block.reduce(0) { $0 + Int(Int8(bitPattern: $1)) } - stored.reduce(0) { $0 + Int(Int8(bitPattern: $1)) }
            + 8 * 0x20
        guard let checksum = Self.number(stored), checksum == others || checksum == signed else { return nil }
        size = Self.number(field(124, 12))
        let name = field(0, 100).prefix { $0 != 0 }
        // GNU tar has other fields in the place of the prefix, and another magic number.
        let prefix = field(257, 6).elementsEqual("ustar\0".utf8) ? field(345, 155).prefix { $0 != 0 } : []
        self.name = prefix.isEmpty ? Array(name) : prefix + [UInt8(ascii: "/")] + name
        switch field(156, 1).first {
        case UInt8(ascii: "0"), 0, UInt8(ascii: "7"): kind = .file
        case UInt8(ascii: "S"): kind = .sparse(hasMap: field(482, 1).first != 0)
        case UInt8(ascii: "x"), UInt8(ascii: "X"): kind = .attributes
        case UInt8(ascii: "g"): kind = .globalAttributes
        case UInt8(ascii: "L"): kind = .longName
        case UInt8(ascii: "1"), UInt8(ascii: "2"), UInt8(ascii: "3"), UInt8(ascii: "4"), UInt8(ascii: "5"),
            UInt8(ascii: "6"):
            kind = .withoutContent
        default: kind = .other
        }
    }

    /// Parses a number: octal digits, ended by spaces or zero bytes, or GNU tar's binary numbers; nil if it is not valid
    /// or negative.
    private static func number(_ field: ArraySlice<UInt8>) -> Int? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            // The second bit is the sign.
            guard first & 0x40 == 0 else { return nil }
            var value = Int(first & 0x3F)
            for byte in field.dropFirst() {
                guard value <= Int.max >> 8 else { return nil }
                value = value << 8 | Int(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 0x20 }.prefix { $0 != 0x20 && $0 != 0 }
        let rest = field[digits.endIndex...]
        guard digits.allSatisfy({ (0x30...0x37).contains($0) }), rest.allSatisfy({ $0 == 0x20 || $0 == 0 }) else {
            return nil
        }
        // At most 12 digits of 3 bits.
        return digits.reduce(0) { $0 << 3 | Int($1 - 0x30) }
    }
}
