public import HTTP

/// What answers requests.
public protocol RequestHandler: Sendable {
    /// The answer to a request that its head alone rules out; nil to read its body and handle it.
    ///
    /// Called once a request, on the server's queue: it must be quick.
    func refusal(of head: RequestHead) -> Response?
    /// The answer to a request; its task is cancelled when nobody waits for the answer any more.
    ///
    /// Never blocks: long work runs on threads of its own.
    func respond(to request: Request) async -> Response
    /// The answer to bytes that are no request.
    func refusal(_ error: RequestError) -> Response
}
