import CZlib

/// zlib's state for one stream, at an address that it may keep.
typealias ZlibStream = UnsafeMutablePointer<z_stream>

/// Runs `body` with a stream that is not initialised yet.
func withZlibStream<Result, Failure: Error>(_ body: (ZlibStream) throws(Failure) -> Result) throws(Failure) -> Result {
    let stream = ZlibStream.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    defer { unsafe stream.deallocate() }
    return try unsafe body(stream)
}
