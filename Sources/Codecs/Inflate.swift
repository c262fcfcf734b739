import CZlib

/// An error while decompressing a deflate stream.
public enum InflateError: Error, Equatable {
    /// The data is not a deflate stream, or is truncated.
    case invalid
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
            let input = Array(bytes)
            guard input.count <= Int(UInt32.max), output.count <= Int(UInt32.max) else { throw .wrongLength }
            let (status, _, written) = unsafe run(stream, input, into: &output) { unsafe inflate($0, Z_FINISH) }
            guard status == Z_STREAM_END else { throw status == Z_BUF_ERROR ? .wrongLength : .invalid }
            guard written == count else { throw .wrongLength }
            output.removeLast()
            return output
        }
    }
}
