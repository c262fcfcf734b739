/// An array of integers in NumPy's .npy format, versions 1 to 3.
package struct NumPyArray {
    /// The dimensions, slowest first.
    package let shape: [Int]
    /// The numbers in row-major order.
    package let values: [Int]

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
            let extents = Self.member("shape", of: header, between: "(", and: ")")
        else { throw DataError(name, "has an invalid header") }
        guard order == "False" else { throw DataError(name, "is in Fortran order, which is not supported") }
        var shape: [Int] = []
        for extent in extents.split(separator: ",") {
            let digits = extent.drop { $0 == " " }
            if digits.isEmpty { continue }
            guard let value = Int(digits), value >= 0 else { throw DataError(name, "has invalid shape (\(extents))") }
            shape.append(value)
        }
        let sizes: [String: (size: Int, isSigned: Bool)] = [
            "|u1": (1, false), "|i1": (1, true), "|b1": (1, false), "<u2": (2, false), "<i2": (2, true),
            "<u4": (4, false), "<i4": (4, true), "<i8": (8, true),
        ]
        guard let (size, isSigned) = sizes[type] else { throw DataError(name, "has unsupported type \(type)") }
        var count = 1
        for extent in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: extent)
            guard !overflow else { throw DataError(name, "has invalid shape (\(extents))") }
            count = product
        }
        let data = bytes[(start + length)...]
        guard data.count / size == count, data.count % size == 0 else {
            throw DataError(name, "has \(data.count) bytes, which do not match shape (\(extents))")
        }
        self.shape = shape
        let first = data.startIndex
        values = (0..<count).map { index in
            let bits = (0..<size).reversed().reduce(UInt64(0)) { $0 << 8 | UInt64(data[first + index * size + $1]) }
            let unused = 64 - 8 * size
            return isSigned ? Int(Int64(bitPattern: bits << unused) >> unused) : Int(bits)
        }
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
