/// Parses multipart/form-data (RFC 7578, RFC 2046 section 5.1) as its bytes arrive.
package struct MultipartParser: Sendable {
    /// What the parser finds.
    package enum Step {
        case part(Multipart.Part)
        /// A part with more bytes than the limit; they were discarded.
        case tooLarge(name: String, filename: String?)
        /// The closing boundary was read.
        case end
        /// More bytes are needed; see ``append(_:isLast:)``.
        case needsMore
    }

    private enum State: Sendable {
        /// Before the first delimiter.
        case preamble
        /// After a delimiter, which may be the last one.
        case delimiter
        /// In a part, which starts with the line break before its header.
        case part
        /// In a part whose bytes are discarded.
        case discarding(name: String, filename: String?)
        case epilogue
    }

    /// Maximum size of a part's header in bytes.
    private static let headerLimit = 8192
    /// Maximum length of a preamble, and number of blanks after a boundary.
    private static let (fillLimit, blankLimit) = (65_536, 1024)

    /// A line break and the boundary.
    private let delimiter: [UInt8]
    private let limit: Int
    private var bytes: [UInt8] = []
    private var position = 0
    /// Position up to which the delimiter was searched.
    private var searched = 0
    private var isComplete = false
    private var state = State.preamble

    /// Creates a parser of parts with at most `limit` bytes each, headers aside.
    package init(boundary: String, limit: Int) {
        delimiter = Array("\r\n--\(boundary)".utf8)
        self.limit = limit
    }

    /// Bytes that have arrived and were not read yet.
    package var bufferedBytes: Int { bytes.count - position }

    /// Adds bytes of the body.
    package mutating func append(_ more: [UInt8], isLast: Bool) {
        isComplete = isLast
        if case .epilogue = state { return }
        bytes.removeFirst(position)
        searched = max(0, searched - position)
        position = 0
        bytes += more
    }

    /// Returns the next part, or that the end is reached, or that more bytes are needed.
    package mutating func step() throws(RequestError) -> Step {
        while true {
            switch state {
            case .epilogue: return .end
            case .preamble:
                // The first delimiter may be at the very start, without its line break.
                if bytes.count < delimiter.count - 2, !isComplete { return .needsMore }
                if bytes.starts(with: delimiter[2...]) {
                    position = delimiter.count - 2
                } else {
                    guard let start = findDelimiter() else {
                        try checkFill()
                        return try more()
                    }
                    position = start + delimiter.count
                }
                state = .delimiter
            case .delimiter:
                guard bytes.count - position >= 2 || isComplete else { return .needsMore }
                if bytes[position...].starts(with: "--".utf8) {
                    state = .epilogue
                    (bytes, position) = ([], 0)
                    return .end
                }
                let blanks = bytes[position...].prefix(Self.blankLimit + 1).prefix { $0 == 0x20 || $0 == 0x09 }
                if bytes.count - blanks.endIndex < 2, blanks.count <= Self.blankLimit, !isComplete { return .needsMore }
                guard bytes[blanks.endIndex...].starts(with: [0x0D, 0x0A]) else {
                    throw RequestError(400, "a multipart boundary is malformed")
                }
                position = blanks.endIndex
                searched = position
                state = .part
            case .part:
                guard let end = findDelimiter() else {
                    guard bufferedBytes > limit + Self.headerLimit + delimiter.count else { return try more() }
                    let part = try part(position..<bytes.count)
                    state = .discarding(name: part.name, filename: part.filename)
                    continue
                }
                let part = try part(position..<end)
                position = end + delimiter.count
                state = .delimiter
                return part.body.count <= limit ? .part(part) : .tooLarge(name: part.name, filename: part.filename)
            case .discarding(let name, let filename):
                guard let end = findDelimiter() else {
                    position = searched
                    return try more()
                }
                position = end + delimiter.count
                state = .delimiter
                return .tooLarge(name: name, filename: filename)
            }
        }
    }

    private func more() throws(RequestError) -> Step {
        guard !isComplete else { throw RequestError(400, "the multipart body does not end with its boundary") }
        return .needsMore
    }

    private func checkFill() throws(RequestError) {
        guard bufferedBytes <= Self.fillLimit || isComplete else {
            throw RequestError(400, "a multipart boundary is missing")
        }
    }

    /// Parses the part in `range`, which starts with the line break before the part's header.
    private func part(_ range: Range<Int>) throws(RequestError) -> Multipart.Part {
        let start = Array(bytes[range].prefix(Self.headerLimit + 4))
        guard let headerEnd = Self.find([0x0D, 0x0A, 0x0D, 0x0A], in: start, from: 0), headerEnd <= Self.headerLimit
        else { throw RequestError(400, "a part's header is missing or does not end") }
        let header = PartHeader(start[..<headerEnd])
        let field = header["content-disposition"].map { ParameterizedField($0, escapes: .formData) }
        guard let field, let name = field.parameters["name"] else {
            throw RequestError(400, "a part has no Content-Disposition with a name")
        }
        let filename =
            field.parameters["filename*"].flatMap(ExtendedValue.decode)
            ?? field.parameters["filename"].map(EncodedWord.decode)
        return Multipart.Part(
            name: name,
            filename: filename,
            encoding: header["content-transfer-encoding"].map { Multipart.TransferEncoding($0) } ?? .identity,
            body: bytes[(range.lowerBound + headerEnd + 4)..<range.upperBound]
        )
    }

    /// Returns the position of the next delimiter; nil if it is not there.
    private mutating func findDelimiter() -> Int? {
        let found = Self.find(delimiter, in: bytes, from: max(position, searched))
        // A delimiter may have arrived in part.
        searched = found ?? max(position, bytes.count - delimiter.count + 1)
        return found
    }

    /// Returns the first position of `pattern` in `bytes`, starting at `start`.
    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= pattern.count, start <= bytes.count - pattern.count else { return nil }
        let first = pattern[0]
        return (start...bytes.count - pattern.count).first { index in
            bytes[index] == first && bytes[index..<index + pattern.count].elementsEqual(pattern)
        }
    }
}
