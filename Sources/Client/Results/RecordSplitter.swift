/// Divides a file of results into records, in pieces of any size.
package struct RecordSplitter {
    /// The longest record; a longer one is not from this program.
    private static let longest = 16 << 20

    private let format: ResultFormat
    private var bytes: [UInt8] = []
    private var start = 0
    /// The end of what was searched, and whether it is inside quotes.
    private var place = 0
    private var isQuoted = false
    /// The number of bytes in the records so far, with their line ends.
    package private(set) var completeBytes = 0

    package init(_ format: ResultFormat) { self.format = format }

    /// The bytes after the last complete record.
    var rest: ArraySlice<UInt8> { bytes[start...] }
    /// Whether there is so much after the last complete record that it cannot be one.
    var isTooLong: Bool { rest.count > Self.longest }

    package mutating func append(_ piece: [UInt8]) {
        bytes.removeFirst(start)
        place -= start
        start = 0
        bytes += piece
    }

    /// Returns the next record without its line end; nil if more bytes are needed.
    package mutating func next() -> ArraySlice<UInt8>? {
        while place < bytes.count {
            let byte = bytes[place]
            place += 1
            if format == .csv, byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            guard byte == 0x0A, !isQuoted else { continue }
            // A line end of CSV is CR LF; LF alone is also read, because editors change it.
            let end = format == .csv && place - 2 >= start && bytes[place - 2] == 0x0D ? place - 2 : place - 1
            defer {
                completeBytes += place - start
                start = place
            }
            return bytes[start..<end]
        }
        return nil
    }
}
