import HTTP
import Synchronization

/// Checks keys against the scopes of routes and enforces rate limits.
final class AccessControl: Sendable {
    private struct State {
        var keys: APIKeys?
        var limiter = RateLimiter()
    }

    private let state: Mutex<State>
    private let acceptsCertificates: Bool

    /// Allows all clients if `keys` is nil; but if clients may present certificates, administration still requires
    /// one.
    init(_ keys: APIKeys?, acceptsCertificates: Bool) {
        state = Mutex(State(keys: keys))
        self.acceptsCertificates = acceptsCertificates
    }

    /// Replaces the keys; the used part of each rate limit is kept.
    func replace(_ keys: APIKeys?) { state.withLock { $0.keys = keys } }

    /// Returns the key of a request or the entry for its client certificate; nil if there is none.
    ///
    /// If a request carries a key, the certificate is ignored. Throws if it carries keys that are not the same.
    func holder(of head: RequestHead, _ peer: Peer) throws(ServiceError) -> APIKeys.Key? {
        guard let keys = state.withLock({ $0.keys }) else { return nil }
        let holders = Credentials(head).secrets.map { $0.flatMap(keys.holder(ofSecret:)) }
        guard let first = holders.first else { return peer.certificate.flatMap(keys.holder(of:)) }
        guard holders.allSatisfy({ $0 == first }) else {
            throw Self.unauthorized("the request has two keys that are not the same")
        }
        return first
    }

    private static func unauthorized(_ detail: String) -> ServiceError {
        ServiceError(401, detail, headers: ["WWW-Authenticate": "Bearer realm=\"dia\""])
    }

    /// Throws unless a client with `key` has `scope`.
    func check(_ key: APIKeys.Key?, _ peer: Peer, _ scope: Scope) throws(ServiceError) {
        if let key {
            if key.scopes.contains(scope) { return }
            throw Self.forbidden(scope, "the key lacks the scope '\(scope.rawValue)'")
        }
        guard state.withLock({ $0.keys }) == nil else {
            throw Self.unauthorized(
                peer.certificate == nil
                    ? "this path requires a key: Authorization: Bearer KEY"
                    : "this path requires a key, and the client certificate is not in the key file"
            )
        }
        guard scope != .admin || !acceptsCertificates else {
            throw Self.forbidden(scope, "administration requires a client certificate that is listed in a key file")
        }
    }

    /// Throws if `key`, which was checked before, has been revoked or has lost `scope` meanwhile.
    ///
    /// A body may take minutes to arrive. The key is compared, not hashed again.
    func confirm(_ key: APIKeys.Key?, _ scope: Scope) throws(ServiceError) {
        guard let key, let keys = state.withLock({ $0.keys }), !keys.allows(key, scope) else { return }
        throw Self.forbidden(scope, "the key was revoked, or lacks the scope '\(scope.rawValue)' now")
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

    /// Counts a request of `key`; throws if the rate limit is reached.
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
