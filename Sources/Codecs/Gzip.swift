import CZlib

/// Why bytes cannot be unpacked.
public enum GzipError: Error, Equatable, CustomStringConvertible {
    /// They are not a gzip stream, broken, or cut short.
    case invalid
    /// They hold more than is allowed, or far more than their own size suggests.
    case tooLarge(limit: Int)
    /// Nobody waits for the bytes any more.
    case cancelled

    /// What is wrong, in words for the sender.
    public var description: String {
        switch self {
        case .invalid: "the gzip data is broken or cut short"
        case .cancelled: "unpacking was cancelled"
        case .tooLarge(let limit): "the gzip data unpacks to more than \(limit) bytes, which is the limit for its size"
        }
    }
}

/// The gzip format (RFC 1952).
public enum Gzip {
    /// Packs `bytes` (`deflate`).
    public static func compress(_ bytes: [UInt8]) -> [UInt8] {
        let packed = unsafe try? withZlibStream { (stream) throws(GzipError) -> [UInt8] in
            guard bytes.count <= Int(UInt32.max) / 2, unsafe dia_deflate_init_gzip(stream) == Z_OK else {
                throw .invalid
            }
            defer { unsafe _ = deflateEnd(stream) }
            var output = [UInt8](repeating: 0, count: Int(unsafe deflateBound(stream, UInt(bytes.count))))
            let (status, _, made) = unsafe run(stream, bytes, into: &output) { unsafe deflate($0, Z_FINISH) }
            guard status == Z_STREAM_END else { throw .invalid }
            return Array(output.prefix(made))
        }
        guard let packed else { preconditionFailure("more than zlib takes at once, or no memory for it") }
        return packed
    }

    /// The bytes that `count` packed ones may unpack to: `limit`, and `ratio` times as many, though 64 KiB in any case.
    public static func limit(_ limit: Int, count: Int, ratio: Int) -> Int {
        min(limit, max(65_536, count.multipliedClamping(by: ratio)))
    }

    /// Unpacks `bytes`, members one after another (`inflate`).
    ///
    /// At most ``limit(_:count:ratio:)`` bytes: nothing is made for what lies beyond. `isCancelled` is asked now and
    /// then and ends the work with an error.
    public static func decompress(
        _ bytes: [UInt8],
        limit: Int,
        ratio: Int,
        isCancelled: () -> Bool = { false }
    ) throws(GzipError) -> [UInt8] {
        let limit = Self.limit(limit, count: bytes.count, ratio: ratio)
        guard bytes.count <= Int(UInt32.max) else { throw .tooLarge(limit: limit) }
        return try unsafe withZlibStream { (stream) throws(GzipError) -> [UInt8] in
            guard unsafe dia_inflate_init_gzip(stream) == Z_OK else { throw .invalid }
            defer { unsafe _ = inflateEnd(stream) }
            var output: [UInt8] = []
            // Memory that is not touched costs nothing; growing would touch it twice.
            output.reserveCapacity(limit)
            var piece = [UInt8](repeating: 0, count: 65_536)
            var position = 0
            while true {
                if isCancelled() { throw .cancelled }
                let (status, taken, made) = unsafe run(stream, bytes, from: position, into: &piece) {
                    unsafe inflate($0, Z_NO_FLUSH)
                }
                guard status == Z_OK || status == Z_STREAM_END else { throw .invalid }
                position += taken
                guard output.count + made <= limit else { throw .tooLarge(limit: limit) }
                output += piece[..<made]
                if status == Z_STREAM_END {
                    guard position < bytes.count else { return output }
                    guard unsafe inflateReset(stream) == Z_OK else { throw .invalid }
                }
            }
        }
    }
}

extension Int {
    fileprivate func multipliedClamping(by other: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
