import CZlib

/// An error while decompressing data.
public enum DecompressionError: Error, Equatable, CustomStringConvertible {
    /// The data is not valid in its format, or is truncated.
    case invalid
    /// The decompressed data is larger than allowed, or too large for the size of the compressed data.
    case tooLarge(limit: Int)
    /// The caller cancelled the operation.
    case cancelled

    /// The error message for the client.
    public var description: String {
        switch self {
        case .invalid: "the compressed data is invalid or truncated"
        case .cancelled: "decompression was cancelled"
        case .tooLarge(let limit):
            "the compressed data decompresses to more than \(limit) bytes, the limit for its size"
        }
    }
}

/// The gzip format (RFC 1952).
public enum Gzip {
    /// Compresses `bytes` (`deflate`).
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        let compressed = unsafe try? withZlibStream { (stream) throws(DecompressionError) -> [UInt8] in
            guard bytes.count <= Int(UInt32.max) / 2, unsafe dia_deflate_init_gzip(stream) == Z_OK else {
                throw .invalid
            }
            defer { unsafe _ = deflateEnd(stream) }
            var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(stream, UInt(bytes.count))))
            let (status, _, written) = unsafe run(stream, bytes[...], into: &output) { unsafe deflate($0, Z_FINISH) }
            guard status == Z_STREAM_END else { throw .invalid }
            return Array(output.prefix(written))
        }
        guard let compressed else { preconditionFailure("too large for zlib, or out of memory") }
        return compressed
    }

    /// The limit of the decompressed size of `count` bytes: `ratio * count`, at least 64 KiB and at most `limit`.
    public static func limit(_ limit: Int, count: Int, ratio: Int) -> Int {
        min(limit, max(65_536, count.multipliedClamping(by: ratio)))
    }

    /// Decompresses `bytes`, all members in order (`inflate`).
    ///
    /// Throws an error if the result is larger than ``limit(_:count:ratio:)``, and never stores more than that.
    /// `isCancelled` is polled regularly; if it returns true, the function throws an error.
    public static func decompress(
        _ bytes: [UInt8],
        limit: Int,
        ratio: Int,
        isCancelled: () -> Bool = { false }
    ) throws(DecompressionError) -> [UInt8] {
        try InflateStream.decompress(bytes, .gzip, limit: limit, ratio: ratio, isCancelled: isCancelled)
    }
}

extension Int {
    func multipliedClamping(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
