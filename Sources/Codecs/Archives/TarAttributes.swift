/// What precedes an entry of a tar archive in entries of its own: pax records (POSIX.1-2001, pax, extended header), or
/// GNU tar's long names.
struct TarAttributes {
    /// The name of the file.
    var path: ArraySlice<UInt8>?
    /// The size of the content.
    var size: Int?
    /// Whether the content is a map and parts of a file with holes (GNU tar).
    var isSparse = false
    /// The name of the file with holes.
    private var sparsePath: ArraySlice<UInt8>?

    /// The name that replaces the one in the header; nil if there is none.
    var name: ArraySlice<UInt8>? { sparsePath ?? path }

    /// The same as text.
    var fileName: String? { name.map { String(decoding: $0, as: UTF8.self) } }

    /// Reads records of the form "LENGTH KEY=VALUE\n"; returns whether they are valid.
    mutating func read(_ records: ArraySlice<UInt8>) -> Bool {
        var rest = records
        while !rest.isEmpty {
            let digits = rest.prefix { $0 != 0x20 }
            guard digits.count < 10, let length = Self.number(digits), length > digits.count + 1, length <= rest.count
            else { return false }
            let record = rest.prefix(length)
            rest = rest.dropFirst(length)
            let text = record.dropFirst(digits.count + 1)
            guard record.last == 0x0A, let equals = text.firstIndex(of: UInt8(ascii: "=")) else { return false }
            guard set(text[..<equals], text[(equals + 1)...].dropLast()) else { return false }
        }
        return true
    }

    /// Sets an attribute, or removes it if the value is empty; returns whether the value is valid.
    private mutating func set(_ key: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        if key.elementsEqual("path".utf8) {
            path = value.isEmpty ? nil : value
        } else if key.elementsEqual("size".utf8) {
            size = Self.number(value)
            return size != nil || value.isEmpty
        } else if key.elementsEqual("GNU.sparse.name".utf8) {
            sparsePath = value.isEmpty ? nil : value
            isSparse = true
        } else if key.starts(with: "GNU.sparse.".utf8) {
            isSparse = true
        }
        return true
    }

    /// Parses decimal digits; nil if there are none or the number is too large.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...18).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
