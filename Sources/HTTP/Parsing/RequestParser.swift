/// Limits on the size of one request.
public struct RequestLimits: Sendable, Hashable {
    /// Maximum bytes of the request line.
    public var requestLineBytes = 8192
    /// Maximum bytes of all field lines, including trailers.
    public var headerBytes = 32_768
    /// Maximum number of field lines, including trailers.
    public var headerCount = 100
    /// Maximum bytes of a body that is not streamed.
    public var bodyBytes = 32 << 20

    /// The defaults.
    public init() {}
}

/// Parses bytes into requests, independently of sockets and time.
///
/// Bytes are added with ``append(_:)``, split in any way; ``next()`` returns events. After an error the parser cannot
/// be used again: the following bytes cannot be interpreted.
public struct RequestParser: Sendable {
    /// A parsed part of a request.
    public enum Event: Sendable {
        /// A head is complete: the request can be rejected, or "100 Continue" sent if a body follows.
        case head(RequestHead, BodyFraming)
        /// The request with the last head is complete; a streamed body has been returned before.
        case request(Request)
        /// The next bytes of a streamed body, at least one.
        case bytes([UInt8])
    }

    private enum State: Sendable {
        case requestLine
        case fields(RequestHead)
        case fixedBody(RequestHead, remaining: Int)
        case chunkSize(RequestHead)
        case chunkData(RequestHead, remaining: Int)
        case chunkEnd(RequestHead)
        case trailers(RequestHead)
        /// The last bytes of a streamed body were returned.
        case complete(RequestHead)
        case failed(RequestError)
    }

    private let limits: RequestLimits
    private var state = State.requestLine
    private var buffer: [UInt8] = []
    private var position = 0
    /// Position up to which a line end was searched, so that a line that arrives byte by byte is not scanned
    /// repeatedly.
    private var searched = 0
    private var headerBytes = 0
    private var headerCount = 0
    private var body: [UInt8] = []
    /// Whether the body of the current request is returned as it arrives.
    private var isStreaming = false

    /// The method of the current or failed request, as soon as it is known.
    public var method: String? { if case .requestLine = state { lineMethod } else { knownMethod } }

    private var knownMethod: String?

    /// Creates a parser with `limits`.
    public init(limits: RequestLimits = RequestLimits()) { self.limits = limits }

    /// Appends received bytes.
    public mutating func append(_ bytes: some Collection<UInt8>) {
        if position > 0 {
            buffer.removeFirst(position)
            searched = max(0, searched - position)
            position = 0
        }
        buffer += bytes
    }

    /// Returns the body of the request with the last head as it arrives, without a limit on its size.
    mutating func streamBody() { isStreaming = true }

    /// Fails with `error`, as if the bytes had been malformed, and discards the buffered bytes.
    public mutating func fail(_ error: RequestError) {
        knownMethod = method
        state = .failed(error)
        buffer = []
        (position, searched) = (0, 0)
        body = []
    }

    /// Whether the parser is between two requests and has read nothing of the next one except empty lines.
    public var isIdle: Bool {
        guard case .requestLine = state else { return false }
        let rest = buffer[position...]
        return rest.isEmpty || rest.elementsEqual([0x0D])
    }

    /// Number of received bytes that no event has consumed yet.
    public var bufferedBytes: Int { buffer.count - position + body.count }

    /// Bytes of memory allocated for buffered bytes; arrays may have unused capacity.
    public var allocatedBytes: Int { buffer.capacity + body.capacity }

    /// Returns the next event; nil if more bytes are needed.
    public mutating func next() throws(RequestError) -> Event? {
        // A connection that waits for its next request keeps no memory of the previous one.
        defer { if position == buffer.count { releaseBuffer() } }
        do {
            // The bytes of all chunks that have arrived are returned together.
            return try advance() ?? streamedBytes()
        } catch {
            let bytes = streamedBytes()
            fail(error)
            // What precedes the error is returned first.
            if let bytes { return bytes }
            throw error
        }
    }

    private mutating func releaseBuffer() {
        buffer = []
        (position, searched) = (0, 0)
    }

    private mutating func advance() throws(RequestError) -> Event? {
        while true {
            switch state {
            case .failed(let error): throw error
            case .complete(let head): return complete(head)
            case .requestLine:
                let start = position
                guard let line = try line(limits.requestLineBytes, tooLong: \.requestLineTooLong) else { return nil }
                // Empty lines before a request are ignored (RFC 9112, section 2.2).
                if line.isEmpty { continue }
                do {
                    let head = try HeadParser.requestLine(line)
                    knownMethod = head.method
                    state = .fields(head)
                } catch {
                    // Restored for ``lineMethod``: the error is in this line.
                    position = start
                    throw error
                }
                (headerBytes, headerCount) = (0, 0)
            case .fields(var head):
                guard let line = try fieldLine() else { return nil }
                if line.isEmpty {
                    try HeadParser.check(head)
                    let framing = try BodyFraming(head)
                    isStreaming = false
                    switch framing {
                    case .none: state = .fixedBody(head, remaining: 0)
                    case .length(let length): state = .fixedBody(head, remaining: length)
                    case .chunked: state = .chunkSize(head)
                    }
                    return .head(head, framing)
                }
                let field = try HeadParser.fieldLine(line)
                head.headers.append(field.name, field.value)
                state = .fields(head)
            case .fixedBody(let head, let remaining):
                guard isAllowed(remaining) else { throw tooLarge }
                guard remaining > 0 else { return complete(head) }
                let taken = take(remaining, of: body.count + remaining)
                guard taken > 0 else { return nil }
                state = .fixedBody(head, remaining: remaining - taken)
            case .chunkSize(let head):
                guard let line = try line(1024, tooLong: \.chunkLineTooLong) else { return nil }
                let (size, overhead) = try ChunkHeader.parse(line)
                // Extensions are ignored, but their total length is limited (RFC 9112, section 7.1.1).
                headerBytes += overhead
                guard headerBytes <= limits.headerBytes else {
                    throw RequestError(400, "the chunk extensions are too long")
                }
                guard isAllowed(size) else { throw tooLarge }
                state = size > 0 ? .chunkData(head, remaining: size) : .trailers(head)
            case .chunkData(let head, let remaining):
                let taken = take(remaining)
                let rest = remaining - taken
                state = rest > 0 ? .chunkData(head, remaining: rest) : .chunkEnd(head)
                if rest > 0 { return nil }
            case .chunkEnd(let head):
                guard buffer.count - position >= 2 else {
                    if position < buffer.count, buffer[position] != 0x0D { throw ChunkHeader.badEnd }
                    return nil
                }
                guard buffer[position] == 0x0D, buffer[position + 1] == 0x0A else { throw ChunkHeader.badEnd }
                position += 2
                state = .chunkSize(head)
            case .trailers(let head):
                guard let line = try fieldLine() else { return nil }
                // Trailers are checked like header fields and discarded.
                if line.isEmpty { return complete(head) }
                _ = try HeadParser.fieldLine(line)
            }
        }
    }

    /// The first word of an incomplete request line: the response to HEAD has no body, even if the rest is malformed.
    private var lineMethod: String? {
        let word = buffer[position...].prefix { $0 != 0x20 }
        return word.count < buffer.count - position && word.allSatisfy(Token.isTokenCharacter)
            ? String(decoding: word, as: UTF8.self) : nil
    }

    /// The error for a request line that is too long (RFC 9112, section 3).
    private var requestLineTooLong: RequestError {
        let word = buffer[position...].prefix(limits.requestLineBytes)
        return word.allSatisfy(Token.isTokenCharacter)
            ? RequestError(501, "unknown method") : RequestError(414, "the request line is too long")
    }

    private var chunkLineTooLong: RequestError { RequestError(400, "a chunk's size line is too long") }

    private var fieldsTooLong: RequestError { RequestError(431, "the header fields are too long or too many") }

    private var tooLarge: RequestError {
        RequestError(413, isStreaming ? "the body is too large" : "the body is larger than \(limits.bodyBytes) bytes")
    }

    private mutating func complete(_ head: RequestHead) -> Event {
        if let bytes = streamedBytes() {
            state = .complete(head)
            return bytes
        }
        let request = Request(head: head, body: body)
        body = []
        state = .requestLine
        return .request(request)
    }

    /// Whether a body may continue with `count` bytes; a number that does not fit in `Int` is `Int.max`.
    private func isAllowed(_ count: Int) -> Bool {
        isStreaming ? count < .max : count <= limits.bodyBytes - body.count
    }

    /// Returns the bytes of a streamed body that have arrived; nil if there are none.
    private mutating func streamedBytes() -> Event? {
        guard isStreaming, !body.isEmpty else { return nil }
        defer { body = [] }
        return .bytes(body)
    }

    /// Moves up to `count` bytes into the body, of which `length` bytes are announced; returns the number of bytes
    /// moved.
    ///
    /// The allocated memory is at most twice the received bytes, regardless of the announced length.
    @discardableResult
    private mutating func take(_ count: Int, of length: Int? = nil) -> Int {
        let taken = min(count, buffer.count - position)
        let needed = body.count + taken
        if let length, !isStreaming, needed > body.capacity {
            body.reserveCapacity(needed >= length / 2 ? length : 2 * needed)
        }
        body += buffer[position..<position + taken]
        position += taken
        return taken
    }

    private mutating func fieldLine() throws(RequestError) -> ArraySlice<UInt8>? {
        guard let line = try line(limits.headerBytes - headerBytes, tooLong: \.fieldsTooLong) else { return nil }
        headerBytes += line.count + 2
        headerCount += line.isEmpty ? 0 : 1
        guard headerBytes <= limits.headerBytes + 2, headerCount <= limits.headerCount else {
            throw fieldsTooLong
        }
        return line
    }

    /// Returns the next line without its CRLF; nil if it is incomplete.
    ///
    /// A bare CR or LF is rejected (RFC 9112, section 2.2). `tooLong` is called only when a line is too long, because
    /// it may scan the line again.
    private mutating func line(
        _ limit: Int,
        tooLong: (RequestParser) -> RequestError
    ) throws(RequestError) -> ArraySlice<UInt8>? {
        let start = max(position, searched)
        guard let end = buffer[start...].firstIndex(where: { $0 == 0x0D || $0 == 0x0A || $0 == 0 }) else {
            searched = buffer.count
            guard buffer.count - position <= limit else { throw tooLong(self) }
            return nil
        }
        searched = end
        guard end - position <= limit else { throw tooLong(self) }
        guard buffer[end] == 0x0D else { throw RequestError(400, "a line does not end with CRLF, or contains NUL") }
        guard end + 1 < buffer.count else { return nil }
        guard buffer[end + 1] == 0x0A else { throw RequestError(400, "a line contains a bare CR") }
        defer { position = end + 2 }
        return buffer[position..<end]
    }
}
