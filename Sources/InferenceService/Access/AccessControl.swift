import HTTP
import Synchronization

/// Decides whether a request's key opens its route, and counts its rate.
final class AccessControl: Sendable {
    private struct State {
        var keys: APIKeys?
        var limiter = RateLimiter()
    }

    private let state: Mutex<State>
    private let acceptsCertificates: Bool

    /// Open to all if there are no `keys`; but where clients may present certificates, administration is not.
    init(_ keys: APIKeys?, acceptsCertificates: Bool) {
        state = Mutex(State(keys: keys))
        self.acceptsCertificates = acceptsCertificates
    }

    /// From now on `keys` count; what has been used of a key's rate stays used.
    func replace(_ keys: APIKeys?) { state.withLock { $0.keys = keys } }

    /// The key that a request carries, or that its client's certificate stands for; nil if there is none.
    ///
    /// A request that carries a key is judged by that alone.
    func holder(of head: RequestHead, _ peer: Peer) -> APIKeys.Key? {
        guard let keys = state.withLock({ $0.keys }) else { return nil }
        if head.headers.contains("authorization") { return keys.holder(of: head) }
        return peer.certificate.flatMap(keys.holder)
    }

    /// Throws unless a client with `key` may do what needs `scope`.
    func check(_ key: APIKeys.Key?, _ peer: Peer, _ scope: Scope) throws(ServiceError) {
        if let key {
            if key.scopes.contains(scope) { return }
            throw Self.forbidden(scope, "the key lacks the scope '\(scope.rawValue)'")
        }
        guard state.withLock({ $0.keys }) == nil else {
            throw ServiceError(
                401,
                peer.certificate == nil
                    ? "this path needs a key: Authorization: Bearer KEY"
                    : "this path needs a key, and the key file does not name the client certificate",
                headers: ["WWW-Authenticate": "Bearer realm=\"dia\""]
            )
        }
        guard scope != .admin || !acceptsCertificates else {
            throw Self.forbidden(scope, "administration needs a client certificate that a key file names")
        }
    }

    private static func forbidden(_ scope: Scope, _ detail: String) -> ServiceError {
        ServiceError(
            403,
            detail,
            headers: [
                "WWW-Authenticate":
                    "Bearer realm=\"dia\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
            ]
        )
    }

    /// Counts a request of `key`.
    func count(_ key: APIKeys.Key) throws(ServiceError) {
        guard let seconds = state.withLock({ $0.limiter.take(key, now: .now) }) else { return }
        let whole = Int(seconds.rounded(.up))
        throw ServiceError(
            429,
            "the key has reached its rate limit; try again in \(whole) s",
            headers: ["Retry-After": String(whole)]
        )
    }
}
