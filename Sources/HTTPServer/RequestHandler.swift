public import HTTP

/// Handles requests.
public protocol RequestHandler: Sendable {
    /// Decides about a request from its head.
    ///
    /// Called once per request on the server's queue, so it must be fast.
    func admit(_ head: RequestHead, from peer: Peer) -> HeadDecision
    /// Returns the response to bytes that are not a valid request.
    func errorResponse(for error: RequestError, from peer: Peer) -> Response
}

/// What happens to a request, decided from its head.
public enum HeadDecision: Sendable {
    /// Sends a response; the body is not needed.
    case respond(Response)
    /// Reads the body and sends the response that the closure returns for it.
    ///
    /// The closure's task is cancelled when the client disconnects. It must not block: long jobs run on their own
    /// threads.
    case readBody(then: @Sendable (_ body: [UInt8]) async -> Response)
    /// Sends the response that the closure returns for the body, which it reads while it arrives, without a limit on its
    /// size.
    ///
    /// The response may begin before the body has ended. If it ends before, the connection is closed after it.
    case streamBody(then: @Sendable (_ body: any BodySource) async -> Response)
}
