/// Reads a JSON text (RFC 8259) in place, one value at a time.
///
/// Only requested values are created, every requested string has a length limit, and nesting is limited and tracked
/// by a counter instead of the stack. Memory and stack use therefore do not depend on the content of a text.
package struct JSONReader {
    /// Kind of a value.
    package enum Kind {
        case object, array, string, number, boolean, null
    }

    /// The content of a string between its quotes, checked but not unescaped.
    package struct StringToken: Sendable {
        package let bytes: ArraySlice<UInt8>
        package let hasEscapes: Bool

        /// Creates a token.
        package init(bytes: ArraySlice<UInt8>, hasEscapes: Bool) {
            self.bytes = bytes
            self.hasEscapes = hasEscapes
        }
    }

    /// Maximum nesting depth of arrays and objects.
    package static let maximumDepth = 64

    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var depth = 0
    private var valuesUntilCheck = 1024
    private let isCancelled: () -> Bool

    /// Creates a reader at the start of `bytes`; `isCancelled` is called periodically and stops reading with an
    /// error.
    package init(_ bytes: ArraySlice<UInt8>, isCancelled: @escaping () -> Bool = { false }) {
        self.bytes = bytes
        self.isCancelled = isCancelled
        position = bytes.startIndex
    }

    /// Returns the kind of the next value.
    package mutating func kind() throws(JSONError) -> Kind {
        skipWhiteSpace()
        guard position < bytes.endIndex else { throw .invalid }
        switch bytes[position] {
        case UInt8(ascii: "{"): return .object
        case UInt8(ascii: "["): return .array
        case UInt8(ascii: "\""): return .string
        case UInt8(ascii: "t"), UInt8(ascii: "f"): return .boolean
        case UInt8(ascii: "n"): return .null
        default: return .number
        }
    }

    /// Reads an object; `member` is called with each name and must read or skip its value.
    ///
    /// A name longer than 128 bytes is replaced by an empty one: no known name is that long.
    package mutating func object<Failure: Error>(
        orThrow failure: (JSONError) -> Failure,
        _ member: (String, inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        func checked<Value>(_ step: () throws(JSONError) -> Value) throws(Failure) -> Value {
            do { return try step() } catch { throw failure(error) }
        }
        guard try checked({ () throws(JSONError) in try kind() }) == .object else { throw failure(.wrongType) }
        var isFirst = true
        try checked { () throws(JSONError) in try enter() }
        while try checked({ () throws(JSONError) in try hasNext(UInt8(ascii: "}"), &isFirst) }) {
            let name = try checked { () throws(JSONError) in try memberName() }
            try member(String(decoding: name.bytes.count <= 128 ? unescaped(name) : [], as: UTF8.self), &self)
        }
    }

    /// Reads an array; `element` is called at each element with its index and must read or skip it.
    package mutating func array<Failure: Error>(
        orThrow failure: (JSONError) -> Failure,
        _ element: (Int, inout JSONReader) throws(Failure) -> Void
    ) throws(Failure) {
        func checked<Value>(_ step: () throws(JSONError) -> Value) throws(Failure) -> Value {
            do { return try step() } catch { throw failure(error) }
        }
        guard try checked({ () throws(JSONError) in try kind() }) == .array else { throw failure(.wrongType) }
        var isFirst = true
        var index = 0
        try checked { () throws(JSONError) in try enter() }
        while try checked({ () throws(JSONError) in try hasNext(UInt8(ascii: "]"), &isFirst) }) {
            try element(index, &self)
            index += 1
        }
    }

    /// Reads a string of at most `maximumBytes` bytes of UTF-8.
    package mutating func string(maximumBytes: Int) throws(JSONError) -> String {
        let token = try stringToken()
        guard token.bytes.count <= 6 * maximumBytes else { throw .tooLong }
        let bytes = unescaped(token)
        guard bytes.count <= maximumBytes else { throw .tooLong }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .invalid }
        return text
    }

    /// Reads an integer, or a number with an integral value.
    package mutating func integer() throws(JSONError) -> Int {
        guard try kind() == .number else { throw .wrongType }
        let start = position
        try skipNumber()
        let text = bytes[start..<position]
        guard text.count <= 40 else { throw .wrongType }
        let word = String(decoding: text, as: UTF8.self)
        if let value = Int(word) { return value }
        guard let value = Double(word), let whole = Int(exactly: value) else { throw .wrongType }
        return whole
    }

    /// Reads a string or a number and returns its text as received, a string with its quotes.
    ///
    /// A string may have at most `maximumBytes` bytes of UTF-8 without its escapes, and a number as many digits.
    package mutating func scalarText(maximumBytes: Int) throws(JSONError) -> ArraySlice<UInt8> {
        let kind = try kind()
        let start = position
        switch kind {
        case .string: _ = try string(maximumBytes: maximumBytes)
        case .number:
            try skipNumber()
            // Without a delimiter it is only the start of a token.
            guard position < bytes.endIndex, ",]} \t\r\n".utf8.contains(bytes[position]) else { throw .invalid }
            guard position - start <= maximumBytes else { throw .tooLong }
        default: throw .wrongType
        }
        return bytes[start..<position]
    }

    /// Reads a string without unescaping it.
    package mutating func stringToken() throws(JSONError) -> StringToken {
        guard try kind() == .string else { throw .wrongType }
        return try quoted()
    }

    /// Skips one value of any kind and returns its text.
    package mutating func text() throws(JSONError) -> ArraySlice<UInt8> {
        skipWhiteSpace()
        let start = position
        try skip()
        return bytes[start..<position]
    }

    /// Skips one value of any kind.
    package mutating func skip() throws(JSONError) {
        let base = depth
        // One bit per level: 1 for an object, 0 for an array.
        var isObject: UInt64 = 0
        while true {
            try countValue()
            switch try kind() {
            case .object, .array:
                let opensObject = bytes[position] == UInt8(ascii: "{")
                try enter()
                isObject = isObject << 1 | (opensObject ? 1 : 0)
                var isFirst = true
                if try hasNext(opensObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), &isFirst) {
                    if opensObject { _ = try memberName() }
                    continue
                }
                isObject >>= 1
            case .string: _ = try quoted()
            case .number: try skipNumber()
            case .boolean: try skipWord(bytes[position] == UInt8(ascii: "t") ? "true" : "false")
            case .null: try skipWord("null")
            }
            // Leave all arrays and objects that end here.
            while depth > base {
                let inObject = isObject & 1 == 1
                var isFirst = false
                if try hasNext(inObject ? UInt8(ascii: "}") : UInt8(ascii: "]"), &isFirst) {
                    if inObject { _ = try memberName() }
                    break
                }
                isObject >>= 1
            }
            if depth == base { return }
        }
    }

    /// Checks that only whitespace follows.
    package mutating func end() throws(JSONError) {
        skipWhiteSpace()
        guard position == bytes.endIndex else { throw .invalid }
    }

    // MARK: Steps

    /// Consumes the bracket or brace at the current position.
    private mutating func enter() throws(JSONError) {
        guard depth < Self.maximumDepth else { throw .tooDeep }
        depth += 1
        position += 1
    }

    /// Whether another member or element follows; consumes `closing` if it is next.
    private mutating func hasNext(_ closing: UInt8, _ isFirst: inout Bool) throws(JSONError) -> Bool {
        skipWhiteSpace()
        guard position < bytes.endIndex else { throw .invalid }
        if bytes[position] == closing {
            position += 1
            depth -= 1
            return false
        }
        if !isFirst {
            guard bytes[position] == UInt8(ascii: ",") else { throw .invalid }
            position += 1
        }
        isFirst = false
        try countValue()
        return true
    }

    private mutating func memberName() throws(JSONError) -> StringToken {
        guard try kind() == .string else { throw .invalid }
        let name = try quoted()
        skipWhiteSpace()
        guard position < bytes.endIndex, bytes[position] == UInt8(ascii: ":") else { throw .invalid }
        position += 1
        return name
    }

    private mutating func countValue() throws(JSONError) {
        valuesUntilCheck -= 1
        guard valuesUntilCheck == 0 else { return }
        valuesUntilCheck = 1024
        if isCancelled() { throw .cancelled }
    }

    private mutating func skipWhiteSpace() {
        while position < bytes.endIndex {
            switch bytes[position] {
            case 0x20, 0x0A, 0x0D, 0x09: position += 1
            default: return
            }
        }
    }

    private mutating func skipWord(_ word: StaticString) throws(JSONError) {
        let count = word.utf8CodeUnitCount
        guard bytes.endIndex - position >= count,
            bytes[position..<position + count].elementsEqual("\(word)".utf8)
        else { throw .invalid }
        position += count
    }

    /// `[ minus ] int [ frac ] [ exp ]` (RFC 8259, section 6).
    private mutating func skipNumber() throws(JSONError) {
        func peek() -> UInt8 { position < bytes.endIndex ? bytes[position] : 0 }
        func digits() -> Bool {
            let start = position
            while (0x30...0x39).contains(peek()) { position += 1 }
            return position > start
        }
        if peek() == UInt8(ascii: "-") { position += 1 }
        if peek() == UInt8(ascii: "0") {
            position += 1
        } else if !digits() {
            throw .invalid
        }
        if peek() == UInt8(ascii: ".") {
            position += 1
            guard digits() else { throw .invalid }
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            position += 1
            if [UInt8(ascii: "+"), UInt8(ascii: "-")].contains(peek()) { position += 1 }
            guard digits() else { throw .invalid }
        }
    }

    /// Reads a string with its quotes; control characters and unknown escapes are invalid (RFC 8259, section 7).
    private mutating func quoted() throws(JSONError) -> StringToken {
        let start = position + 1
        var place = start
        var hasEscapes = false
        while place < bytes.endIndex {
            let byte = bytes[place]
            if byte == UInt8(ascii: "\"") {
                position = place + 1
                return StringToken(bytes: bytes[start..<place], hasEscapes: hasEscapes)
            }
            guard byte >= 0x20 else { throw .invalid }
            place += 1
            guard byte == UInt8(ascii: "\\") else { continue }
            hasEscapes = true
            guard place < bytes.endIndex else { throw .invalid }
            if bytes[place] == UInt8(ascii: "u") {
                let digits = bytes[place...].dropFirst().prefix(4)
                guard digits.count == 4, digits.allSatisfy({ Character(UnicodeScalar($0)).isHexDigit }) else {
                    throw .invalid
                }
                place += 5
            } else {
                guard "\"\\/bfnrt".utf8.contains(bytes[place]) else { throw .invalid }
                place += 1
            }
        }
        throw .invalid
    }

    private func unescaped(_ token: StringToken) -> [UInt8] {
        token.hasEscapes ? Array(JSONUnescaping(token.bytes)) : Array(token.bytes)
    }
}
