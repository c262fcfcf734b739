/// Reads the brackets and numbers of a valid JSON array of numbers, fast.
struct NumberText {
    /// Part of the text.
    enum Token {
        case open, close
        /// A number, and where it starts.
        case number(Double, start: Int)
        /// A value that is not a number or an array.
        case other
    }

    private let text: ArraySlice<UInt8>
    private var position: Int

    /// Creates a reader at the start of `text`.
    init(_ text: ArraySlice<UInt8>) {
        self.text = text
        position = text.startIndex
    }

    /// Returns the next token; nil at the end.
    mutating func next() -> Token? {
        while position < text.endIndex {
            let byte = text[position]
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "]"):
                position += 1
                return byte == UInt8(ascii: "[") ? .open : .close
            case UInt8(ascii: "-"), 0x30...0x39:
                let start = position
                return .number(number(), start: start)
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return .other
            }
        }
        return nil
    }

    /// Returns the next number and ignores brackets; the text must have one.
    mutating func nextNumber() -> Double {
        while let token = next() {
            if case .number(let value, _) = token { return value }
        }
        preconditionFailure("the numbers of the text were counted")
    }

    /// The powers of ten that a Double represents exactly.
    private static let powers: [Double] = (0...22).map { power in (0..<power).reduce(1) { value, _ in value * 10 } }

    /// Reads a number.
    ///
    /// Numbers of up to 19 digits are converted with an error of at most two units in the last place of a Double, far
    /// below the precision of a sample. All others are converted by the standard library.
    private mutating func number() -> Double {
        let start = position
        func peek() -> UInt8 { position < text.endIndex ? text[position] : 0 }
        let isNegative = peek() == UInt8(ascii: "-")
        if isNegative { position += 1 }
        var mantissa: UInt64 = 0
        var digits = 0
        var exponent = 0
        func digit() {
            let value = UInt64(text[position] & 0x0F)
            position += 1
            if digits > 0 || value > 0 { digits += 1 }
            if digits <= 19 { mantissa = mantissa * 10 + value }
        }
        while (0x30...0x39).contains(peek()) { digit() }
        if peek() == UInt8(ascii: ".") {
            position += 1
            let first = position
            while (0x30...0x39).contains(peek()) { digit() }
            exponent = first - position
        }
        if peek() | 0x20 == UInt8(ascii: "e") {
            position += 1
            let isBelowOne = peek() == UInt8(ascii: "-")
            if isBelowOne || peek() == UInt8(ascii: "+") { position += 1 }
            var value = 0
            while (0x30...0x39).contains(peek()) {
                // A larger exponent is left to the standard library anyway.
                value = min(1000, value * 10 + Int(text[position] & 0x0F))
                position += 1
            }
            exponent += isBelowOne ? -value : value
        }
        guard digits <= 19, (-22...22).contains(exponent) else {
            return Double(String(decoding: text[start..<position], as: UTF8.self)) ?? .nan
        }
        let value = exponent < 0 ? Double(mantissa) / Self.powers[-exponent] : Double(mantissa) * Self.powers[exponent]
        return isNegative ? -value : value
    }
}
