import CZlib

/// zlib's state for one stream, at an address that it may keep.
typealias ZlibStream = UnsafeMutablePointer<z_stream>

/// Runs `body` with a stream that is not initialized yet.
func withZlibStream<Result, Failure: Error>(_ body: (ZlibStream) throws(Failure) -> Result) throws(Failure) -> Result {
    let stream = ZlibStream.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    defer { unsafe stream.deallocate() }
    return try unsafe body(stream)
}

/// Has `call` (`inflate`, `deflate`) take `input` from `position` on and fill `output`; what it returned, and how many
/// bytes it took and made.
func run(
    _ stream: ZlibStream,
    _ input: [UInt8],
    from position: Int = 0,
    into output: inout [UInt8],
    _ call: (ZlibStream) -> Int32
) -> (status: Int32, taken: Int, made: Int) {
    unsafe input.withUnsafeBufferPointer { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
            unsafe stream.pointee.next_in = source.baseAddress.map {
                // zlib only reads from it; its header is not const.
                unsafe UnsafeMutablePointer(mutating: $0 + position)
            }
            unsafe stream.pointee.avail_in = UInt32(source.count - position)
            unsafe stream.pointee.next_out = target.baseAddress
            unsafe stream.pointee.avail_out = UInt32(target.count)
            let status = unsafe call(stream)
            let taken = unsafe source.count - position - Int(stream.pointee.avail_in)
            return (status, taken, unsafe target.count - Int(stream.pointee.avail_out))
        }
    }
}
