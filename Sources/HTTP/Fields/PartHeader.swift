/// The header of a part of a multipart body (RFC 2046, section 5.1).
struct PartHeader {
    private var lines: [[UInt8]] = [[]]

    /// Parses `bytes`, lines that end with CRLF.
    ///
    /// A line that starts with a space or tab continues the previous one (RFC 5322, section 2.2.3).
    init(_ bytes: ArraySlice<UInt8>) {
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
    }

    /// The value of the first field named `name`, which is in lowercase; nil if there is none.
    subscript(name: String) -> String? {
        let count = name.utf8.count
        for line in lines where line.count > count && line[count] == UInt8(ascii: ":") {
            guard String(decoding: line[..<count], as: UTF8.self).equalsIgnoringCase(name) else { continue }
            return String(decoding: line[(count + 1)...], as: UTF8.self).trimmed
        }
        return nil
    }
}
