/// A modality or VOI lookup table (PS3.3, C.11.1.1 and C.11.2.1.1).
package struct LookupTable: Sendable, Hashable {
    /// The input value that the first entry is for.
    package let first: Int
    package let entries: [UInt16]
    /// The bits of an entry: the output range is 0 to 2^bits - 1.
    package let bits: Int

    /// The highest possible output.
    package var maximum: Int { 1 << bits - 1 }

    /// Creates a table; `entries` must not be empty, and `bits` is 1 to 16.
    package init(first: Int, entries: [UInt16], bits: Int) {
        precondition(!entries.isEmpty && (1...16).contains(bits), "\(entries.count) entries of \(bits) bits")
        let maximum = UInt16(truncatingIfNeeded: 1 << bits - 1)
        (self.first, self.entries, self.bits) = (first, entries.map { min($0, maximum) }, bits)
    }

    /// Reads an item of a LUT sequence, whose input values are in `inputs`.
    init(_ item: DICOMItem, inputs: ClosedRange<Double>, name: String) throws(DICOMError) {
        guard let descriptor = item.words(.lutDescriptor, limit: 3), descriptor.count == 3 else {
            throw .inconsistent("the \(name) has no descriptor of three numbers")
        }
        guard let words = item.words(.lutData) else { throw .inconsistent("the \(name) has no data") }
        let bits = Int(descriptor[2])
        guard (8...16).contains(bits) else { throw .inconsistent("the \(name) has \(bits) bits; allowed are 8 to 16") }
        let isSigned = item.isSigned(.lutDescriptor)
        try self.init(
            first: Self.first(descriptor[1], isSigned: isSigned, inputs: inputs),
            entries: Self.entries(words, count: descriptor[0], bits: bits, name: name),
            bits: bits
        )
    }

    /// The value for `input`; values outside of the table take its first or last entry.
    package func callAsFunction(_ input: Double) -> UInt16 {
        let index = max(0, min(input.rounded(.down) - Double(first), Double(entries.count - 1)))
        return entries[Int(index)]
    }

    /// The first input value: its VR is SS if inputs can be negative.
    ///
    /// Implicit value representations do not tell, and some writers use US for all: then a number of 32,768 or more is
    /// taken as negative if the inputs can be negative and cannot be that large.
    package static func first(_ word: UInt16, isSigned: Bool, inputs: ClosedRange<Double>) -> Int {
        let isNegative = isSigned || inputs.lowerBound < 0 && inputs.upperBound < 32_768
        return isNegative ? Int(Int16(bitPattern: word)) : Int(word)
    }

    /// The entries, one a word, or two a word if there are too few words (8 bits only).
    ///
    /// A count of 0 means 65,536.
    package static func entries(_ words: [UInt16], count: UInt16, bits: Int, name: String) throws(DICOMError)
        -> [UInt16]
    {
        let count = count == 0 ? 65_536 : Int(count)
        if words.count >= count { return Array(words.prefix(count)) }
        guard bits == 8, 2 * words.count >= count else {
            throw .inconsistent("the \(name) has \(words.count) of \(count) entries")
        }
        return Array(words.flatMap { [$0 & 0xFF, $0 >> 8] }.prefix(count))
    }
}
