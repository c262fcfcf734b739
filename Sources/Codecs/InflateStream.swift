import CZlib

/// Decompresses a gzip or deflate content coding (RFC 9110, section 8.4.1) as its bytes arrive.
///
/// `@safe` because its pointer never escapes and is freed with it. `@unchecked Sendable`: it has one owner, which calls it from one task at a time.
@safe public final class InflateStream: @unchecked Sendable {
    /// The format of the compressed bytes.
    public enum Format: Sendable {
        /// RFC 1952, all members in order.
        case gzip
        /// The zlib format (RFC 1950), or a raw deflate stream (RFC 1951), which some clients send under the same name.
        case deflate
    }

    private let format: Format
    private let ratio: Int
    private let stream: ZlibStream
    private var isStarted = false
    private var isAtEnd = false
    /// The first bytes, until there are enough of them to recognize the format.
    private var start: [UInt8] = []
    private var (read, written) = (0, 0)

    /// Creates a stream that may grow by the factor `ratio`, or to 64 KiB.
    public init(_ format: Format, ratio: Int) {
        self.format = format
        self.ratio = ratio
        unsafe stream = ZlibStream.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
    }

    deinit {
        if isStarted { unsafe _ = inflateEnd(stream) }
        unsafe stream.deallocate()
    }

    /// Returns what `bytes`, the next compressed bytes, decompress to (`inflate`).
    ///
    /// Throws an error if the result so far is larger than ``Gzip/limit(_:count:ratio:)``, and never stores more.
    public func decompress(_ bytes: [UInt8]) throws(DecompressionError) -> [UInt8] {
        var input = bytes
        if !isStarted {
            start += bytes
            // A gzip stream needs no look at its header.
            guard format == .gzip || start.count >= 2 else { return [] }
            try begin()
            (input, start) = (start, [])
        }
        read += bytes.count
        let limit = Gzip.limit(.max, count: read, ratio: ratio)
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: min(65_536, max(1024, 8 * input.count)))
        var position = 0
        while position < input.count {
            if isAtEnd {
                guard format == .gzip, unsafe inflateReset(stream) == Z_OK else { throw .invalid }
                isAtEnd = false
            }
            let (status, consumed, count) = unsafe run(stream, input[...], from: position, into: &chunk) {
                unsafe inflate($0, Z_NO_FLUSH)
            }
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw .invalid }
            guard consumed > 0 || count > 0 else { throw .invalid }
            position += consumed
            written += count
            guard written <= limit else { throw .tooLarge(limit: limit) }
            output += chunk[..<count]
            isAtEnd = status == Z_STREAM_END
        }
        // What a full chunk left behind.
        while !isAtEnd {
            let (status, _, count) = unsafe run(stream, [], into: &chunk) { unsafe inflate($0, Z_SYNC_FLUSH) }
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw .invalid }
            written += count
            guard written <= limit else { throw .tooLarge(limit: limit) }
            output += chunk[..<count]
            isAtEnd = status == Z_STREAM_END
            if count < chunk.count { break }
        }
        return output
    }

    /// Checks that the compressed bytes are complete; throws an error if they are truncated.
    public func finish() throws(DecompressionError) { guard isAtEnd else { throw .invalid } }

    private func begin() throws(DecompressionError) {
        let status =
            switch format {
            case .gzip: unsafe dia_inflate_init_gzip(stream)
            case .deflate:
                unsafe Deflate.hasZlibHeader(start) ? dia_inflate_init_zlib(stream) : dia_inflate_init_raw(stream)
            }
        guard status == Z_OK else { throw .invalid }
        isStarted = true
    }
}
