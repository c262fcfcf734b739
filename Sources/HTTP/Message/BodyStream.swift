/// A body that is made while it is sent, a piece at a time.
///
/// The next piece is asked for when the one before is on the wire, so a slow reader slows its maker down.
public protocol BodyStream: Sendable {
    /// The next piece, which is not empty; nil at the end.
    ///
    /// Whatever is thrown breaks the connection off, so that nobody takes what was sent for the whole.
    func next() async throws -> [UInt8]?
    /// Nobody takes the rest.
    func cancel()
}
