/// An array in NumPy's .npy format, versions 1 to 3: numbers, truth values or strings of fixed length.
package struct NumPyArray: Sendable {
    /// The type of the elements.
    package enum Kind: Sendable {
        /// `bool`.
        case boolean
        /// Unsigned and signed integers of 1, 2, 4 or 8 bytes.
        case unsigned, signed
        /// Floating-point numbers of 2, 4 or 8 bytes.
        case float
        /// Strings of bytes (`S`) and of 32-bit code points (`U`), padded with zeros.
        case bytes, unicode
    }

    /// The dimensions, slowest first.
    package let shape: [Int]
    /// The type of the elements.
    package let kind: Kind
    /// The number of bytes of an element.
    package let elementSize: Int
    /// The distance between neighbors in each dimension, in elements.
    private let strides: [Int]
    private let isBigEndian: Bool
    private let data: ArraySlice<UInt8>

    /// The number of elements.
    package var count: Int { elementSize == 0 ? 0 : data.count / elementSize }

    /// Parses `bytes`; `name` is the name in error messages.
    package init(parsing bytes: [UInt8], name: String) throws(DataError) {
        guard bytes.count >= 12, bytes[0] == 0x93, bytes[1..<6].elementsEqual("NUMPY".utf8) else {
            throw DataError(name, "is not a NumPy array")
        }
        let isLong = bytes[6] >= 2
        let start = isLong ? 12 : 10
        let length = (0..<(isLong ? 4 : 2)).reversed().reduce(0) { $0 << 8 | Int(bytes[8 + $1]) }
        guard start + length <= bytes.count else { throw DataError(name, "is truncated") }
        let header = String(decoding: bytes[start..<start + length], as: UTF8.self)
        guard let type = Self.member("descr", of: header, between: "'", and: "'"),
            let order = Self.member("fortran_order", of: header, between: " ", and: ","),
            let extents = Self.member("shape", of: header, between: "(", and: ")"), ["True", "False"].contains(order)
        else { throw DataError(name, "has an invalid header") }
        guard let (kind, size) = Self.kind(type) else {
            let advice = type.hasSuffix("O") ? " (Python objects); save numbers or strings of fixed length" : ""
            throw DataError(name, "has unsupported type \(type)\(advice)")
        }
        let shape = try Self.shape(extents, name)
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw DataError(name, "has invalid shape (\(extents))") }
            count = product
        }
        data = bytes[(start + length)...]
        guard data.count / size == count, data.count % size == 0 else {
            throw DataError(name, "has \(data.count) bytes, which do not match shape (\(extents))")
        }
        (self.shape, self.kind, elementSize, isBigEndian) = (shape, kind, size, type.hasPrefix(">"))
        var (strides, next) = ([Int](repeating: 1, count: shape.count), 1)
        // The strides of an array without elements are never used, and could overflow.
        if count > 0 {
            for index in order == "True" ? Array(shape.indices) : shape.indices.reversed() {
                strides[index] = next
                next *= shape[index]
            }
        }
        self.strides = strides
    }

    /// Returns the position in the file, counted in elements, of the element at `place`.
    package func position(_ place: [Int]) -> Int { zip(place, strides).reduce(0) { $0 + $1.0 * $1.1 } }

    /// The distance in the file between neighbors along dimension `index`, in elements.
    package func stride(_ index: Int) -> Int { strides[index] }

    /// Returns the number at `position` in the file; truth values are 0 and 1, strings NaN.
    package func number(at position: Int) -> Double {
        switch kind {
        case .boolean: bits(position) == 0 ? 0 : 1
        case .unsigned: Double(bits(position))
        case .signed: Double(signed(position))
        case .float:
            switch elementSize {
            case 2: Self.half(UInt16(truncatingIfNeeded: bits(position)))
            case 4: Double(Float(bitPattern: UInt32(truncatingIfNeeded: bits(position))))
            default: Double(bitPattern: bits(position))
            }
        case .bytes, .unicode: .nan
        }
    }

    /// Returns the element at `position` in the file as text; nil if it is a fraction or not a valid string.
    package func text(at position: Int) -> String? {
        switch kind {
        case .boolean: return bits(position) == 0 ? "0" : "1"
        case .unsigned: return String(bits(position))
        case .signed: return String(signed(position))
        case .float: return Int(exactly: number(at: position)).map { String($0) }
        case .bytes: return String(validating: element(position).reversed().drop { $0 == 0 }.reversed(), as: UTF8.self)
        case .unicode:
            var units = (0..<elementSize / 4).map { unit -> UInt32 in
                let first = data.startIndex + position * elementSize + 4 * unit
                return UInt32(truncatingIfNeeded: number(data[first..<first + 4]))
            }
            while units.last == 0 { units.removeLast() }
            return String(validating: units, as: UTF32.self)
        }
    }

    /// Returns the byte at `position` in an array of single bytes.
    package func byte(at position: Int) -> UInt8 { data[data.startIndex + position] }

    private func element(_ position: Int) -> ArraySlice<UInt8> {
        let first = data.startIndex + position * elementSize
        return data[first..<first + elementSize]
    }

    private func bits(_ position: Int) -> UInt64 { number(element(position)) }

    private func signed(_ position: Int) -> Int64 {
        let unused = UInt64(64 - 8 * elementSize)
        return Int64(bitPattern: bits(position) << unused) >> Int64(unused)
    }

    private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        var result: UInt64 = 0
        if isBigEndian {
            for byte in bytes { result = result << 8 | UInt64(byte) }
        } else {
            for byte in bytes.reversed() { result = result << 8 | UInt64(byte) }
        }
        return result
    }

    /// Converts a half-precision number (IEEE 754 binary16).
    private static func half(_ bits: UInt16) -> Double {
        let sign: Double = bits >> 15 == 0 ? 1 : -1
        let (exponent, fraction) = (Int(bits >> 10 & 31), Double(bits & 1023))
        switch exponent {
        case 0: return sign * fraction * 0x1p-24
        case 31: return fraction == 0 ? sign * .infinity : .nan
        default: return sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
        }
    }

    private static func kind(_ type: String) -> (Kind, size: Int)? {
        guard let order = type.first, "<>|".contains(order), let size = Int(type.dropFirst(2)), size > 0 else {
            return nil
        }
        let kinds: [Character: (Kind, [Int])] = [
            "b": (.boolean, [1]), "u": (.unsigned, [1, 2, 4, 8]), "i": (.signed, [1, 2, 4, 8]),
            "f": (.float, [2, 4, 8]),
        ]
        switch type.dropFirst().first {
        case "S": return size <= 1 << 20 ? (.bytes, size) : nil
        case "U": return size <= 1 << 18 ? (.unicode, 4 * size) : nil
        case let letter?:
            guard let (kind, sizes) = kinds[letter], sizes.contains(size) else { return nil }
            return (kind, size)
        case nil: return nil
        }
    }

    private static func shape(_ extents: String, _ name: String) throws(DataError) -> [Int] {
        var shape: [Int] = []
        for extent in extents.split(separator: ",") {
            let digits = extent.drop { $0 == " " }
            if digits.isEmpty { continue }
            guard let value = Int(digits), value >= 0 else { throw DataError(name, "has invalid shape (\(extents))") }
            shape.append(value)
        }
        return shape
    }

    /// Returns the text of a member of the dictionary in the header.
    private static func member(
        _ key: String,
        of header: String,
        between open: Character,
        and close: Character
    ) -> String? {
        guard let found = header.range(of: "'\(key)':") else { return nil }
        let rest = header[found.upperBound...]
        guard let start = rest.firstIndex(of: open) else { return nil }
        let inside = rest[rest.index(after: start)...]
        guard let end = inside.firstIndex(of: close) else { return nil }
        return String(inside[..<end])
    }
}

extension String {
    /// Returns the first range of `text`.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
