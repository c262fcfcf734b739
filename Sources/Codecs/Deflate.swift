/// The deflate content coding (RFC 9110, section 8.4.1.2).
public enum Deflate {
    /// Decompresses `bytes`: the zlib format (RFC 1950), or a raw deflate stream (RFC 1951), which some clients send
    /// under the same name.
    ///
    /// The limits and errors are those of ``Gzip/decompress(_:limit:ratio:isCancelled:)``.
    public static func decompress(
        _ bytes: [UInt8],
        limit: Int,
        ratio: Int,
        isCancelled: () -> Bool = { false }
    ) throws(DecompressionError) -> [UInt8] {
        try InflateStream.decompress(bytes, .deflate, limit: limit, ratio: ratio, isCancelled: isCancelled)
    }

    /// Whether `bytes` start with a zlib header (RFC 1950, section 2.2).
    ///
    /// A raw stream does not: its first byte would be a stored block whose padding is not zero.
    static func hasZlibHeader(_ bytes: [UInt8]) -> Bool {
        guard bytes.count >= 2, bytes[0] & 0x0F == 8, bytes[0] >> 4 <= 7 else { return false }
        return (Int(bytes[0]) << 8 | Int(bytes[1])) % 31 == 0
    }
}
