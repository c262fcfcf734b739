import CZlib

/// An error while decompressing a deflate stream.
public enum InflateError: Error, Equatable {
    /// The data is not a deflate stream.
    case invalid
    /// The stream does not end within the data.
    case truncated
    /// The decompressed size is not the expected one.
    case wrongLength
}

/// Raw deflate streams, as in zip archives.
public enum Inflate {
    /// Decompresses `bytes` to exactly `count` bytes (`inflate`).
    public static func decompress(_ bytes: ArraySlice<UInt8>, count: Int) throws(InflateError) -> [UInt8] {
        try unsafe withZlibStream { (stream) throws(InflateError) -> [UInt8] in
            guard unsafe dia_inflate_init_raw(stream) == Z_OK else { throw .invalid }
            defer { unsafe _ = inflateEnd(stream) }
            // One byte more than expected, to detect a longer stream.
            var output = [UInt8](repeating: 0, count: count + 1)
            guard bytes.count <= Int(UInt32.max), output.count <= Int(UInt32.max) else { throw .wrongLength }
            let (status, _, written) = unsafe run(stream, bytes, into: &output) { unsafe inflate($0, Z_FINISH) }
            // Either the output is full or the input is used up.
            guard status == Z_STREAM_END else { throw status == Z_BUF_ERROR ? .wrongLength : .invalid }
            guard written == count else { throw .wrongLength }
            output.removeLast()
            return output
        }
    }

    /// What a stream at the start of some bytes holds.
    struct Extent: Equatable {
        /// Length of the stream, and of its decompressed content.
        let packed, size: Int
        /// CRC-32 of the decompressed content.
        let checksum: UInt32
    }

    /// Returns the extent of the stream that starts `bytes`, without storing its content.
    ///
    /// Throws ``InflateError/wrongLength`` if the content is longer than `limit`.
    static func extent(of bytes: ArraySlice<UInt8>, limit: Int) throws(InflateError) -> Extent {
        try unsafe withZlibStream { (stream) throws(InflateError) -> Extent in
            guard unsafe dia_inflate_init_raw(stream) == Z_OK else { throw .invalid }
            defer { unsafe _ = inflateEnd(stream) }
            var chunk = [UInt8](repeating: 0, count: 65_536)
            var (packed, size, checksum) = (0, 0, UInt32(0))
            while true {
                let (status, consumed, written) = unsafe run(stream, bytes, from: packed, into: &chunk) {
                    unsafe inflate($0, Z_NO_FLUSH)
                }
                guard status != Z_BUF_ERROR else { throw .truncated }
                guard status == Z_OK || status == Z_STREAM_END else { throw .invalid }
                packed += consumed
                size += written
                guard size <= limit else { throw .wrongLength }
                checksum = CRC32.checksum(chunk[..<written], preceding: checksum)
                if status == Z_STREAM_END { return Extent(packed: packed, size: size, checksum: checksum) }
            }
        }
    }

    /// Returns the first `count` bytes of the content of a stream, as far as they are in its first bytes, `bytes`; nil if
    /// it is damaged there.
    static func prefix(_ count: Int, of bytes: ArraySlice<UInt8>) -> [UInt8]? {
        unsafe withZlibStream { stream in
            guard unsafe dia_inflate_init_raw(stream) == Z_OK else { return nil }
            defer { unsafe _ = inflateEnd(stream) }
            var output = [UInt8](repeating: 0, count: count)
            let (status, _, written) = unsafe run(stream, bytes, into: &output) { unsafe inflate($0, Z_SYNC_FLUSH) }
            return [Z_OK, Z_STREAM_END, Z_BUF_ERROR].contains(status) ? Array(output.prefix(written)) : nil
        }
    }
}
