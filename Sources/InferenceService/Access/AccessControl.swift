import HTTP
import Synchronization

/// Decides whether a request's key opens its route, and counts its rate.
final class AccessControl: Sendable {
    private struct State {
        var keys: APIKeys?
        var limiter = RateLimiter()
    }

    private let state: Mutex<State>

    /// Open to all if there are no `keys`.
    init(_ keys: APIKeys?) { state = Mutex(State(keys: keys)) }

    /// From now on `keys` count; what has been used of a key's rate stays used.
    func replace(_ keys: APIKeys?) { state.withLock { $0.keys = keys } }

    /// The key of a request to `route`; nil where none is needed.
    func holder(of head: RequestHead, _ route: Route) throws(ServiceError) -> APIKeys.Key? {
        guard let scope = route.scope, let keys = state.withLock({ $0.keys }) else { return nil }
        guard let key = keys.holder(of: head) else {
            throw ServiceError(
                401,
                "this path needs a key: Authorization: Bearer KEY",
                headers: ["WWW-Authenticate": "Bearer realm=\"dia\""]
            )
        }
        guard key.scopes.contains(scope) else {
            throw ServiceError(
                403,
                "the key is not good for '\(scope.rawValue)'",
                headers: [
                    "WWW-Authenticate":
                        "Bearer realm=\"dia\", error=\"insufficient_scope\", scope=\"\(scope.rawValue)\""
                ]
            )
        }
        return key
    }

    /// Counts a request of `key`.
    func count(_ key: APIKeys.Key) throws(ServiceError) {
        guard let seconds = state.withLock({ $0.limiter.take(key, now: .now) }) else { return }
        let whole = Int(seconds.rounded(.up))
        throw ServiceError(
            429,
            "the key has made its requests of this second; try again in \(whole) s",
            headers: ["Retry-After": String(whole)]
        )
    }
}
