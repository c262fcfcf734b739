/// Sequence of the bytes of a checked JSON string with its escapes replaced (RFC 8259, section 7).
///
/// A lone surrogate becomes U+FFFD.
struct JSONUnescaping: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    /// Remaining bytes of a character that was escaped.
    private var pending: ArraySlice<UInt8> = []

    init(_ content: ArraySlice<UInt8>) { rest = content }

    mutating func next() -> UInt8? {
        if let byte = pending.popFirst() { return byte }
        guard let byte = rest.popFirst() else { return nil }
        guard byte == UInt8(ascii: "\\"), let kind = rest.popFirst() else { return byte }
        switch kind {
        case UInt8(ascii: "b"): return 0x08
        case UInt8(ascii: "f"): return 0x0C
        case UInt8(ascii: "n"): return 0x0A
        case UInt8(ascii: "r"): return 0x0D
        case UInt8(ascii: "t"): return 0x09
        case UInt8(ascii: "u"):
            let scalar = scalar()
            if scalar.isASCII { return UInt8(scalar.value) }
            pending = Array(String(Character(scalar)).utf8)[...]
            return pending.popFirst()
        default: return kind
        }
    }

    /// Returns the character of `\uXXXX`, or of a surrogate pair of two of them.
    private mutating func scalar() -> UnicodeScalar {
        let first = unit()
        if let scalar = UnicodeScalar(first) { return scalar }
        guard (0xD800...0xDBFF).contains(first), rest.starts(with: "\\u".utf8) else { return "\u{FFFD}" }
        let mark = rest
        rest = rest.dropFirst(2)
        let second = unit()
        guard (0xDC00...0xDFFF).contains(second) else {
            rest = mark
            return "\u{FFFD}"
        }
        return UnicodeScalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)) ?? "\u{FFFD}"
    }

    private mutating func unit() -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 { value = value << 4 | UInt32(rest.popFirst().flatMap(Self.digit) ?? 0) }
        return value
    }

    private static func digit(_ byte: UInt8) -> Int? { Character(UnicodeScalar(byte)).hexDigitValue }
}
