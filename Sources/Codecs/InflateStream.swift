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
    private let (limit, ratio): (Int, Int)
    private let stream: ZlibStream
    private var isStarted = false
    private var isAtEnd = false
    /// The first bytes, until there are enough of them to recognize the format.
    private var start: [UInt8] = []
    private var (read, written) = (0, 0)

    /// Creates a stream that may grow by the factor `ratio`, or to 64 KiB, and to `limit` bytes.
    public init(_ format: Format, limit: Int = .max, ratio: Int) {
        self.format = format
        (self.limit, self.ratio) = (limit, ratio)
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
        var output: [UInt8] = []
        try decompress(bytes, into: &output)
        return output
    }

    /// Decompresses all of `bytes`; `isCancelled` is polled regularly.
    static func decompress(
        _ bytes: [UInt8],
        _ format: Format,
        limit: Int,
        ratio: Int,
        isCancelled: () -> Bool
    ) throws(DecompressionError) -> [UInt8] {
        let stream = InflateStream(format, limit: limit, ratio: ratio)
        var output: [UInt8] = []
        // Reserved memory that is not written costs nothing, and growing the array would copy it.
        output.reserveCapacity(Gzip.limit(limit, count: bytes.count, ratio: ratio))
        try stream.decompress(bytes, into: &output, isCancelled: isCancelled)
        try stream.finish()
        return output
    }

    private func decompress(
        _ bytes: [UInt8],
        into output: inout [UInt8],
        isCancelled: () -> Bool = { false }
    ) throws(DecompressionError) {
        var input = bytes
        if !isStarted {
            start += bytes
            // A gzip stream needs no look at its header.
            guard format == .gzip || start.count >= 2 else { return }
            try begin()
            (input, start) = (start, [])
        }
        read += bytes.count
        let limit = Gzip.limit(limit, count: read, ratio: ratio)
        var chunk = [UInt8](repeating: 0, count: min(65_536, max(1024, input.count.multipliedClamping(by: 8))))
        var position = 0
        // A full chunk can leave output behind when all input has been read.
        var isFull = false
        while position < input.count || isFull && !isAtEnd {
            if isCancelled() { throw .cancelled }
            if isAtEnd {
                guard format == .gzip, unsafe inflateReset(stream) == Z_OK else { throw .invalid }
                isAtEnd = false
            }
            let (status, consumed, count) = unsafe run(stream, input[...], from: position, into: &chunk) {
                unsafe inflate($0, Z_NO_FLUSH)
            }
            guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else { throw .invalid }
            guard consumed > 0 || count > 0 || position == input.count else { throw .invalid }
            position += consumed
            written += count
            guard written <= limit else { throw .tooLarge(limit: limit) }
            output += chunk[..<count]
            isAtEnd = status == Z_STREAM_END
            isFull = count == chunk.count
        }
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
