import CZlib

/// The CRC-32 checksum of zip, gzip and PNG.
public enum CRC32 {
    /// Returns the checksum of `bytes` (`crc32`), or of bytes whose checksum is `preceding` followed by `bytes`.
    public static func checksum(_ bytes: ArraySlice<UInt8>, preceding: UInt32 = 0) -> UInt32 {
        unsafe bytes.withUnsafeBytes { buffer in
            var value = UInt(preceding)
            var start = 0
            while start < buffer.count {
                let count = min(buffer.count - start, 1 << 30)
                let piece = unsafe buffer[start..<start + count]
                value = unsafe crc32(value, piece.bindMemory(to: UInt8.self).baseAddress, UInt32(count))
                start += count
            }
            return UInt32(truncatingIfNeeded: value)
        }
    }
}
