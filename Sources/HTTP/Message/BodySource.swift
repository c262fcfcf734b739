/// A request body that is read while it arrives.
///
/// It has one reader.
public protocol BodySource: Sendable {
    /// Returns the next bytes, at least one; nil at the end.
    ///
    /// Throws an error with the status for the response if the rest of the body cannot be read.
    func next() async throws(RequestError) -> [UInt8]?
}

/// A body that has arrived as a whole.
public final class BufferedBody: BodySource {
    private let pieces: BoundedQueue<[UInt8]>

    /// Creates the source of `bytes`.
    public init(_ bytes: [UInt8]) {
        pieces = BoundedQueue(limit: max(1, bytes.count))
        if !bytes.isEmpty { pieces.offer(bytes, weight: bytes.count) }
        pieces.finish()
    }

    /// Returns the bytes; nil the second time.
    public func next() async throws(RequestError) -> [UInt8]? { await pieces.next() }
}
