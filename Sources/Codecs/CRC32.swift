import CZlib

/// The CRC-32 checksum of zip, gzip and PNG.
public enum CRC32 {
    /// Returns the checksum of `bytes` (`crc32`).
    public static func checksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBytes { buffer in
            var value: UInt = 0
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
