/// The header of a part of a multipart body (RFC 2046, section 5.1).
struct PartHeader {
    private let lines: [String]

    /// Parses `bytes`, lines that end with CRLF.
    ///
    /// A line that starts with a space or tab continues the previous one (RFC 5322, section 2.2.3).
    init(_ bytes: ArraySlice<UInt8>) {
        var lines: [[UInt8]] = [[]]
        var rest = bytes
        while let byte = rest.popFirst() {
            // Other line breaks are ordinary text here.
            guard byte == 0x0D, rest.first == 0x0A else {
                lines[lines.count - 1].append(byte)
                continue
            }
            rest = rest.dropFirst()
            let isFolded = rest.first == 0x20 || rest.first == 0x09
            if !isFolded || lines[lines.count - 1].isEmpty { lines.append([]) }
        }
        self.lines = lines.map { String(decoding: $0, as: UTF8.self) }
    }

    /// The value of the first field named `name`, which is in lowercase; nil if there is none.
    subscript(name: String) -> String? {
        for line in lines {
            let parts = line.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2, String(decoding: parts[0], as: UTF8.self).equalsIgnoringCase(name) else { continue }
            return String(decoding: parts[1], as: UTF8.self).trimmed
        }
        return nil
    }
}
