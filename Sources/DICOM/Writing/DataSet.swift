/// A data set that is written: elements by number, in Explicit VR Little Endian.
package struct DataSet: Sendable {
    private enum Value: Sendable {
        case bytes([UInt8])
        case items([DataSet])
    }

    private var elements: [UInt32: (vr: String, value: Value)] = [:]

    /// Creates an empty data set.
    package init() {}

    /// Adds the attributes of the patient and the study.
    package mutating func add(_ study: StudyAttributes) {
        for each in study.attributes {
            set(UInt32(each.group) << 16 | UInt32(each.element), each.vr, bytes: each.value)
        }
    }

    /// Sets a text, of which only printable ASCII characters are kept; several values are separated by backslashes.
    package mutating func set(_ tag: UInt32, _ vr: String, _ text: String) {
        let limit = Self.longest(vr)
        let bytes = text.utf8.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        set(tag, vr, bytes: Array(bytes.prefix(limit)))
    }

    /// Sets a 16-bit number (US).
    package mutating func set(_ tag: UInt32, _ number: UInt16) {
        set(tag, "US", bytes: [UInt8(truncatingIfNeeded: number), UInt8(number >> 8)])
    }

    /// Sets the items of a sequence.
    package mutating func set(_ tag: UInt32, _ items: [DataSet]) { elements[tag] = ("SQ", .items(items)) }

    /// Sets bytes without padding.
    package mutating func set(_ tag: UInt32, _ vr: String, bytes: [UInt8]) {
        precondition(bytes.count < 0xFFFF || Self.isLong(vr), "a value is too long for its representation")
        elements[tag] = (vr, .bytes(bytes))
    }

    /// The longest text of a value representation.
    private static func longest(_ vr: String) -> Int {
        switch vr {
        case "SH", "AE", "DS": 16
        case "LO", "UI": 64
        case "ST": 1024
        case "LT": 10_240
        default: 65_534
        }
    }

    /// Whether lengths have 32 bits (PS3.5, section 7.1.2).
    private static func isLong(_ vr: String) -> Bool { ["OB", "OW", "SQ", "UN", "UT", "UC", "UR"].contains(vr) }

    /// The encoded elements in the order of their numbers.
    package var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for (tag, element) in elements.sorted(by: { $0.key < $1.key }) {
            var value: [UInt8] = []
            switch element.value {
            case .bytes(let content): value = Self.padded(content, element.vr)
            case .items(let items):
                for item in items {
                    let content = item.encoded
                    value += Self.number(0xFFFE, 2) + Self.number(0xE000, 2) + Self.number(content.count, 4) + content
                }
            }
            bytes += Self.number(Int(tag >> 16), 2) + Self.number(Int(tag & 0xFFFF), 2) + Array(element.vr.utf8)
            bytes += Self.isLong(element.vr) ? [0, 0] + Self.number(value.count, 4) : Self.number(value.count, 2)
            bytes += value
        }
        return bytes
    }

    private static func padded(_ bytes: [UInt8], _ vr: String) -> [UInt8] {
        guard bytes.count % 2 == 1 else { return bytes }
        return bytes + [["UI", "OB", "OW", "UN"].contains(vr) ? 0 : 0x20]
    }

    private static func number(_ value: Int, _ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }

    /// Returns a DICOM file (PS3.10) with this data set, which must have a SOP class and a SOP instance.
    package func file(implementation: String) -> [UInt8] {
        guard case .bytes(let sopClass)? = elements[0x0008_0016]?.value,
            case .bytes(let sopInstance)? = elements[0x0008_0018]?.value
        else { preconditionFailure("a file needs a SOP class and a SOP instance") }
        var meta = DataSet()
        meta.set(0x0002_0001, "OB", bytes: [0, 1])
        meta.set(0x0002_0002, "UI", bytes: sopClass)
        meta.set(0x0002_0003, "UI", bytes: sopInstance)
        meta.set(0x0002_0010, "UI", "1.2.840.10008.1.2.1")
        meta.set(0x0002_0012, "UI", implementation)
        meta.set(0x0002_0013, "SH", "DIA")
        let content = meta.encoded
        var length = DataSet()
        length.set(0x0002_0000, "UL", bytes: Self.number(content.count, 4))
        return [UInt8](repeating: 0, count: 128) + Array("DICM".utf8) + length.encoded + content + encoded
    }
}
