/// The JSON header of a safetensors file: tensor names with types, shapes and offsets.
///
/// Has its own strict parser, because a general JSON decoder silently drops duplicate names.
struct SafetensorsHeader {
    struct Entry: Equatable {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    /// An error, and the tensor in which it was found.
    struct Failure: Error {
        var tensor: String?
        var reason: String
    }

    private(set) var entries: [Entry] = []
    private(set) var metadata: [String: String] = [:]

    init(parsing bytes: ArraySlice<UInt8>) throws(Failure) {
        var scanner = Scanner(bytes)
        var names: Set<String> = []
        try scanner.object { (scanner, name) throws(Failure) in
            guard names.insert(name).inserted else {
                throw Failure(tensor: name, reason: "appears twice in the header")
            }
            if name == "__metadata__" {
                try scanner.object { (scanner, key) throws(Failure) in metadata[key] = try scanner.string() }
            } else {
                entries.append(try Self.entry(name, &scanner))
            }
        }
        try scanner.finish()
    }

    private static func entry(_ name: String, _ scanner: inout Scanner) throws(Failure) -> Entry {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        do {
            try scanner.object { (scanner, key) throws(Failure) in
                switch key {
                case "dtype" where type == nil: type = try scanner.string()
                case "shape" where shape == nil: shape = try scanner.integers()
                case "data_offsets" where offsets == nil: offsets = try scanner.integers()
                default: throw Failure(reason: "unexpected or repeated member '\(key)'")
                }
            }
        } catch {
            throw Failure(tensor: name, reason: error.reason)
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw Failure(tensor: name, reason: "needs dtype, shape and two data_offsets")
        }
        return Entry(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    /// Parses the JSON forms that a header contains: objects, strings, and arrays of non-negative integers.
    struct Scanner {
        private let bytes: ArraySlice<UInt8>
        private var position: Int

        init(_ bytes: ArraySlice<UInt8>) {
            self.bytes = bytes
            position = bytes.startIndex
        }

        private mutating func skipSpace() {
            while position < bytes.endIndex, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
        }

        private mutating func take(_ character: Character) -> Bool {
            skipSpace()
            guard position < bytes.endIndex, bytes[position] == character.asciiValue else { return false }
            position += 1
            return true
        }

        private mutating func expect(_ character: Character) throws(Failure) {
            guard take(character) else { throw Failure(reason: "the header is invalid: expected '\(character)'") }
        }

        mutating func finish() throws(Failure) {
            skipSpace()
            guard position == bytes.endIndex else {
                throw Failure(reason: "the header continues after the closing brace")
            }
        }

        mutating func object(
            _ member: (inout Scanner, String) throws(Failure) -> Void
        ) throws(Failure) {
            try expect("{")
            if take("}") { return }
            repeat {
                let key = try string()
                try expect(":")
                try member(&self, key)
            } while take(",")
            try expect("}")
        }

        mutating func integers() throws(Failure) -> [Int] {
            try expect("[")
            if take("]") { return [] }
            var result: [Int] = []
            repeat {
                skipSpace()
                var value = 0
                let start = position
                while position < bytes.endIndex, (0x30...0x39).contains(bytes[position]) {
                    let (product, tooLarge) = value.multipliedReportingOverflow(by: 10)
                    let (sum, overflow) = product.addingReportingOverflow(Int(bytes[position] - 0x30))
                    guard !tooLarge, !overflow else { throw Failure(reason: "an integer is too large") }
                    value = sum
                    position += 1
                }
                guard position == start + 1 || (position > start && bytes[start] != 0x30) else {
                    throw Failure(reason: "expected an integer")
                }
                guard result.count < 16 else { throw Failure(reason: "more than 16 dimensions") }
                result.append(value)
            } while take(",")
            try expect("]")
            return result
        }

        mutating func string() throws(Failure) -> String {
            try expect("\"")
            var text: [UInt8] = []
            while position < bytes.endIndex {
                let byte = bytes[position]
                position += 1
                switch byte {
                case UInt8(ascii: "\""):
                    guard let string = String(validating: text, as: UTF8.self) else {
                        throw Failure(reason: "a string is not valid UTF-8")
                    }
                    return string
                case UInt8(ascii: "\\"): text += try escape()
                case 0..<0x20: throw Failure(reason: "a string contains a control character")
                default: text.append(byte)
                }
            }
            throw Failure(reason: "a string is not terminated")
        }

        private mutating func escape() throws(Failure) -> [UInt8] {
            guard position < bytes.endIndex else { throw Failure(reason: "a string is not terminated") }
            let kind = bytes[position]
            position += 1
            switch kind {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [kind]
            case UInt8(ascii: "b"): return [0x08]
            case UInt8(ascii: "f"): return [0x0C]
            case UInt8(ascii: "n"): return [0x0A]
            case UInt8(ascii: "r"): return [0x0D]
            case UInt8(ascii: "t"): return [0x09]
            case UInt8(ascii: "u"):
                let unit = try codeUnit()
                guard UTF16.isLeadSurrogate(unit) else {
                    guard let scalar = Unicode.Scalar(unit) else { throw Failure(reason: "lone surrogate") }
                    return Array(String(Character(scalar)).utf8)
                }
                guard bytes[position...].starts(with: "\\u".utf8) else { throw Failure(reason: "lone surrogate") }
                position += 2
                let low = try codeUnit()
                guard UTF16.isTrailSurrogate(low) else { throw Failure(reason: "lone surrogate") }
                return Array(String(decoding: [unit, low], as: UTF16.self).utf8)
            default: throw Failure(reason: "a string contains an unknown escape sequence")
            }
        }

        private mutating func codeUnit() throws(Failure) -> UInt16 {
            guard position + 4 <= bytes.endIndex,
                let text = String(validating: bytes[position..<position + 4], as: UTF8.self),
                text.allSatisfy(\.isHexDigit), let unit = UInt16(text, radix: 16)
            else { throw Failure(reason: "a \\u escape needs four hexadecimal digits") }
            position += 4
            return unit
        }
    }
}
