/// The path of an input, as bytes: a name of a file need not be UTF-8.
public struct InputPath: Sendable, Hashable {
    /// The bytes for system calls, without a zero byte.
    public let bytes: [UInt8]

    /// Standard input.
    public static let standardInput = InputPath("-")

    /// Creates a path of `bytes`.
    ///
    /// "./" is put before a relative path that begins with =, +, @ or -: it is the same file, and a spreadsheet that
    /// opens a table of results does not take the path for a formula.
    public init(_ bytes: some Collection<UInt8>) {
        let isFormula = bytes.first.map { "=+-@\t\r".utf8.contains($0) } ?? false
        self.bytes = isFormula && !bytes.elementsEqual("-".utf8) ? Array("./".utf8) + bytes : Array(bytes)
    }

    /// Creates the path `text`.
    public init(_ text: String) { self.init(text.utf8) }

    /// Returns the path of the entry `name` of this folder.
    func appending(_ name: [UInt8]) -> InputPath {
        InputPath(bytes + (bytes.last == UInt8(ascii: "/") ? [] : Array("/".utf8)) + name)
    }

    /// The path in results: different for different paths.
    ///
    /// It is the path itself if that is UTF-8. Otherwise each byte that is not part of a character is written as `\xFF`,
    /// and a backslash as two; also where a path has such a text itself, so that no two paths have the same text.
    public var text: String {
        if let text = String(validating: bytes, as: UTF8.self), !text.contains(Self.escape) { return text }
        var result = ""
        var rest = bytes[...]
        while let byte = rest.first {
            // A character has one to four bytes.
            let length = (1...4).first { String(validating: rest.prefix($0), as: UTF8.self) != nil }
            if byte == UInt8(ascii: "\\") {
                result += "\\\\"
            } else if let length {
                result += String(decoding: rest.prefix(length), as: UTF8.self)
            } else {
                result += Self.escaped(byte)
            }
            rest = rest.dropFirst(length ?? 1)
        }
        return result
    }

    /// The path on a terminal: control characters cannot do anything there.
    public var printable: String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                for byte in String(scalar).utf8 { result += Self.escaped(byte) }
            default: result.unicodeScalars.append(scalar)
            }
        }
    }

    private static var escape: Regex<Substring> { /\\x[0-9A-F]{2}/ }

    private static func escaped(_ byte: UInt8) -> String {
        let digits = Array("0123456789ABCDEF")
        return "\\x\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
    }
}
