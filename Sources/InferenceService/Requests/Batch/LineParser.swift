/// The lines of an NDJSON batch; blank lines are skipped.
package struct LineParser: BatchParser {
    private static let lineFeed = UInt8(ascii: "\n")

    private let limit: Int
    private var bytes: [UInt8] = []
    private var position = 0
    /// Position up to which a line feed was searched.
    private var searched = 0
    private var isComplete = false
    /// The start of a line that is too long, whose rest is discarded.
    private var longLine: [UInt8]?

    /// Creates a parser of lines with images of at most `imageBytes` bytes.
    package init(imageBytes: Int) {
        // The image in base64, and other members of the object.
        let (encoded, overflow) = (imageBytes / 3 + 1).multipliedReportingOverflow(by: 4)
        limit = overflow ? .max : encoded.addingReportingOverflow(65_536).overflow ? .max : encoded + 65_536
    }

    var missingLabel: BatchInput.Label { .id(nil) }
    var bufferedBytes: Int { bytes.count - position }

    package mutating func append(_ more: [UInt8], isLast: Bool) {
        bytes.removeFirst(position)
        searched -= position
        position = 0
        bytes += more
        isComplete = isLast
    }

    /// Returns the next line that is not blank; nil if there is none yet.
    package mutating func nextLine() -> ArraySlice<UInt8>? {
        if case .entry(.line(let line)) = step() { line } else { nil }
    }

    mutating func step() -> BatchStep {
        while true {
            let end = bytes[searched...].firstIndex(of: Self.lineFeed)
            searched = end ?? bytes.count
            if let start = longLine {
                guard end != nil || isComplete else {
                    position = searched
                    return .needsMore
                }
                longLine = nil
                position = min(bytes.count, searched + 1)
                searched = position
                let error = ServiceError(413, "the line has more than \(limit) bytes")
                return .entry(.failed(BatchInput.Entry.line(start[...]).label, error))
            }
            let line = bytes[position..<searched]
            guard line.count <= limit else {
                longLine = Array(line.prefix(BatchInput.labelBytes))
                continue
            }
            guard end != nil || isComplete else { return .needsMore }
            position = min(bytes.count, searched + 1)
            searched = position
            if line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) {
                return .entry(.line(Array(line)[...]))
            }
            if position == bytes.count { return isComplete ? .end : .needsMore }
        }
    }
}
