public import HTTP

/// What answers requests.
public protocol RequestHandler: Sendable {
    /// The response to a request that its head alone decides; nil to read its body and handle it.
    ///
    /// Called once per request, on the server's queue: it must be quick.
    func earlyResponse(to head: RequestHead, from peer: Peer) -> Response?
    /// The response to a request; its task is cancelled when the client has gone.
    ///
    /// Never blocks: long work runs on threads of its own.
    func respond(to request: Request, from peer: Peer) async -> Response
    /// The response to bytes that are not a valid request.
    func errorResponse(for error: RequestError, from peer: Peer) -> Response
}
