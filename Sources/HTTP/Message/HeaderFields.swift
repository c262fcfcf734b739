/// Header fields of a message in their original order; names are compared case-insensitively (RFC 9110, section 5.1).
public struct HeaderFields: Sendable, Hashable, ExpressibleByDictionaryLiteral {
    /// One field line.
    public struct Field: Sendable, Hashable {
        /// The name, as sent.
        public var name: String
        /// The value without surrounding whitespace.
        public var value: String
    }

    /// The field lines.
    public private(set) var fields: [Field]

    /// Creates fields in the order of the literal.
    public init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { Field(name: $0.0, value: $0.1) }
    }

    /// Appends a field line.
    public mutating func append(_ name: String, _ value: String) { fields.append(Field(name: name, value: value)) }

    /// Returns the values of all fields named `name`.
    public func all(_ name: String) -> [String] {
        fields.filter { $0.name.equalsIgnoringCase(name) }.map(\.value)
    }

    /// The value of the field named `name`; nil if there is none or more than one.
    public subscript(name: String) -> String? {
        let values = all(name)
        return values.count == 1 ? values[0] : nil
    }

    /// Whether there is a field named `name`.
    public func contains(_ name: String) -> Bool { fields.contains { $0.name.equalsIgnoringCase(name) } }

    /// Returns the comma-separated members of all fields named `name`, ASCII letters in lowercase, without empty
    /// members (RFC 9110, section 5.6.1).
    ///
    /// Bytes are compared, not characters: a combining mark after a comma must not hide it.
    public func members(_ name: String) -> [String] {
        all(name).flatMap { $0.utf8.split(separator: UInt8(ascii: ",")) }.compactMap { member in
            let bytes = member.trimmingBlanks.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }
            return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
        }
    }
}

extension StringProtocol {
    /// Whether two strings are equal, ignoring the case of ASCII letters.
    func equalsIgnoringCase(_ other: some StringProtocol) -> Bool {
        utf8.elementsEqual(other.utf8) { $0 == $1 || ($0 ^ $1 == 0x20 && ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A) }
    }

    /// The text without surrounding spaces and tabs (optional whitespace of RFC 9110, section 5.6.3).
    public var trimmed: String { String(decoding: Array(utf8).trimmingBlanks, as: UTF8.self) }
}

extension BidirectionalCollection<UInt8> {
    /// The bytes without surrounding spaces and tabs.
    var trimmingBlanks: SubSequence {
        let front = drop { $0 == 0x20 || $0 == 0x09 }
        guard let end = front.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return front.prefix(0) }
        return front[...end]
    }
}
