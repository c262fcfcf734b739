import DICOM

/// A coded concept.
struct Code {
    let value, scheme, meaning: String

    init(_ value: String, _ scheme: String, _ meaning: String) {
        (self.value, self.scheme, self.meaning) = (value, scheme, meaning)
    }

    /// The item of a code sequence.
    var dataSet: DataSet {
        var item = DataSet()
        item.set(0x0008_0100, "SH", value)
        item.set(0x0008_0102, "SH", scheme)
        item.set(0x0008_0104, "LO", meaning)
        return item
    }
}

/// A content item of a structured report (PS3.3, section C.17.3).
struct ContentItem {
    private let type: String
    private let relationship: String?
    private let name: Code?
    private let value: (inout DataSet) -> Void

    static func container(
        _ relationship: String?,
        _ name: Code,
        _ items: [ContentItem],
        template: String? = nil
    ) -> Self {
        Self(type: "CONTAINER", relationship: relationship, name: name) { set in
            set.set(0x0040_A050, "CS", "SEPARATE")
            if let template {
                var item = DataSet()
                item.set(0x0008_0105, "CS", "DCMR")
                item.set(0x0040_DB00, "CS", template)
                set.set(0x0040_A504, [item])
            }
            set.set(0x0040_A730, items.map(\.dataSet))
        }
    }

    static func text(_ relationship: String, _ name: Code, _ text: String) -> Self {
        Self(type: "TEXT", relationship: relationship, name: name) { $0.set(0x0040_A160, "UT", text) }
    }

    static func uid(_ relationship: String, _ name: Code, _ uid: String) -> Self {
        Self(type: "UIDREF", relationship: relationship, name: name) { $0.set(0x0040_A124, "UI", uid) }
    }

    static func code(_ relationship: String, _ name: Code, _ code: Code) -> Self {
        Self(type: "CODE", relationship: relationship, name: name) { $0.set(0x0040_A168, [code.dataSet]) }
    }

    static func image(_ relationship: String, _ name: Code?, _ reference: DataSet) -> Self {
        Self(type: "IMAGE", relationship: relationship, name: name) { $0.set(0x0008_1199, [reference]) }
    }

    /// A number without unit.
    static func number(_ relationship: String, _ name: Code, _ number: Double) -> Self {
        Self(type: "NUM", relationship: relationship, name: name) { set in
            var measured = DataSet()
            measured.set(0x0040_08EA, [Code("1", "UCUM", "no units").dataSet])
            measured.set(0x0040_A30A, "DS", decimal(number))
            let bits = number.bitPattern
            measured.set(0x0040_A161, "FD", bytes: (0..<8).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) })
            set.set(0x0040_A300, [measured])
        }
    }

    /// The number in at most 16 characters (VR DS), as exactly as they allow.
    static func decimal(_ number: Double) -> String {
        let exact = "\(number)"
        if exact.utf8.count <= 16 { return exact }
        // A sign, a digit, a point and an exponent of up to five characters leave room for eight digits.
        var (mantissa, exponent) = (number, 0)
        while abs(mantissa) >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
        while abs(mantissa) < 1 { (mantissa, exponent) = (mantissa * 10, exponent - 1) }
        let rounded = (mantissa * 1e8).rounded() / 1e8
        return "\(rounded)".prefix(11) + "e\(exponent)"
    }

    /// Writes the item into a data set: that of the report, or an item of a sequence.
    func write(to set: inout DataSet) {
        if let relationship { set.set(0x0040_A010, "CS", relationship) }
        set.set(0x0040_A040, "CS", type)
        if let name { set.set(0x0040_A043, [name.dataSet]) }
        value(&set)
    }

    private var dataSet: DataSet {
        var set = DataSet()
        write(to: &set)
        return set
    }
}
