public import HTTP

/// Handles requests.
public protocol RequestHandler: Sendable {
    /// Returns the response to a request that can be decided from its head; nil to read the body and handle the
    /// request.
    ///
    /// Called once per request on the server's queue, so it must be fast.
    func earlyResponse(to head: RequestHead, from peer: Peer) -> Response?
    /// Returns the response to a request; the task is cancelled when the client disconnects.
    ///
    /// Must not block: long jobs run on their own threads.
    func respond(to request: Request, from peer: Peer) async -> Response
    /// Returns the response to bytes that are not a valid request.
    func errorResponse(for error: RequestError, from peer: Peer) -> Response
}
