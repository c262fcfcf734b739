import HTTP
import InferenceService

/// Requests as a server passes them to the service.
extension InferenceService {
    /// Returns the response to a request that is decided from its head; nil if the request is admitted.
    func earlyResponse(to head: RequestHead, from peer: Peer = .unknown) -> Response? {
        guard case .respond(let response) = admit(head, from: peer) else { return nil }
        return response
    }

    /// Returns the response to a complete request.
    func respond(to request: Request, from peer: Peer = .unknown) async -> Response {
        switch admit(request.head, from: peer) {
        case .respond(let response): response
        case .admit(let admitted): await respond(to: admitted, body: request.body)
        }
    }
}
