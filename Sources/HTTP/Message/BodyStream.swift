/// A body that is produced while it is sent, one piece at a time.
///
/// The next piece is requested after the previous one has been sent, so a slow reader slows down the producer.
public protocol BodyStream: Sendable {
    /// Returns the next piece, which is not empty; nil at the end.
    ///
    /// If it throws, the connection is closed, so that the client does not take a partial body for the whole.
    func next() async throws -> [UInt8]?
    /// Stops the stream: the rest is not needed.
    func cancel()
}
