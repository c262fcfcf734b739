import CZlib

/// A pointer to the state of a zlib stream, which needs a stable address.
typealias ZlibStream = UnsafeMutablePointer<z_stream>

/// Calls `body` with an uninitialized stream.
func withZlibStream<Result, Failure: Error>(_ body: (ZlibStream) throws(Failure) -> Result) throws(Failure) -> Result {
    let stream = ZlibStream.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    defer { unsafe stream.deallocate() }
    return try unsafe body(stream)
}

/// Calls `call` (`inflate` or `deflate`) to read `input` from `position`, counted from its start, and to fill `output`.
///
/// Returns the status of the call, the number of bytes read, and the number of bytes written.
func run(
    _ stream: ZlibStream,
    _ input: ArraySlice<UInt8>,
    from position: Int = 0,
    into output: inout [UInt8],
    _ call: (ZlibStream) -> Int32
) -> (status: Int32, consumed: Int, written: Int) {
    unsafe input.withUnsafeBufferPointer { source in
        unsafe output.withUnsafeMutableBufferPointer { target in
            unsafe stream.pointee.next_in = source.baseAddress.map {
                // zlib only reads through this pointer, but the declaration in its header is not const.
                unsafe UnsafeMutablePointer(mutating: $0 + position)
            }
            // A longer input is read by several calls.
            let available = min(source.count - position, Int(UInt32.max))
            unsafe stream.pointee.avail_in = UInt32(available)
            unsafe stream.pointee.next_out = target.baseAddress
            unsafe stream.pointee.avail_out = UInt32(target.count)
            let status = unsafe call(stream)
            let consumed = unsafe available - Int(stream.pointee.avail_in)
            return (status, consumed, unsafe target.count - Int(stream.pointee.avail_out))
        }
    }
}
