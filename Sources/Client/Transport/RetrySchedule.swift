/// When a failed request is repeated.
public struct RetryPolicy: Sendable, Hashable {
    /// The largest number of attempts.
    public var attempts = 8
    /// The largest number of attempts without a connection.
    public var connectionAttempts = 8
    /// The largest number of attempts while the server says when to come again (429 and 503 with Retry-After).
    public var busyAttempts = 40
    /// The time in seconds from the first attempt after which no further one begins.
    public var totalSeconds = 120.0
    /// The same while the server says when to come again: it works, but others, or this client, fill its queue.
    public var busySeconds = 600.0
    /// The longest pause before the first repetition, in seconds; each further one is twice as long.
    public var firstPause = 0.5
    /// The limit of pauses without Retry-After, in seconds.
    public var longestPause = 15.0
    /// The limit of Retry-After, in seconds.
    public var longestRetryAfter = 60.0

    /// The defaults.
    public init() {}

    /// No repetitions.
    public static let never: RetryPolicy = {
        var policy = RetryPolicy()
        policy.attempts = 1
        policy.busyAttempts = 1
        return policy
    }()
}

/// The repetitions of one request, as a value that is told about failures and time, and does not wait.
///
/// Every request of the service may be repeated: scoring has no effect.
public struct RetrySchedule: Sendable {
    /// What to do after a failure.
    public enum Decision: Sendable, Equatable {
        /// The failure is final.
        case giveUp
        /// The request is repeated after a pause.
        case wait(seconds: Double)
    }

    private let policy: RetryPolicy
    private var failures = 0

    /// Creates the schedule of a request that has not been sent.
    public init(_ policy: RetryPolicy) { self.policy = policy }

    /// Returns what to do after `error`, `elapsed` seconds after the first attempt began.
    ///
    /// `random` is from 0 to 1 and spreads the repetitions of several clients: a pause is a random part of the
    /// exponential one, or Retry-After and up to a quarter more.
    public mutating func decision(after error: ClientError, elapsed: Double, random: Double) -> Decision {
        failures += 1
        var (limit, seconds, wanted) = (policy.attempts, policy.totalSeconds, 0.0)
        switch error {
        case .cannotConnect: limit = min(limit, policy.connectionAttempts)
        case .problem(let problem):
            guard let retryAfter = problem.retryAfter else { break }
            wanted = min(retryAfter, policy.longestRetryAfter)
            (limit, seconds) = (policy.busyAttempts, policy.busySeconds)
        default: break
        }
        guard failures < limit, Self.isTemporary(error) else { return .giveUp }
        let exponential = min(policy.longestPause, policy.firstPause * Double(1 << min(failures - 1, 30)))
        let pause = max(exponential * (0.5 + random / 2), wanted * (1 + random / 4))
        return elapsed + pause <= seconds ? .wait(seconds: pause) : .giveUp
    }

    /// Whether the same request can succeed later.
    ///
    /// 502 and 504 are sent by proxies that cannot reach the server.
    private static func isTemporary(_ error: ClientError) -> Bool {
        switch error {
        case .cannotConnect, .connectionLost: true
        case .problem(let problem): [429, 502, 503, 504].contains(problem.status)
        case .tls, .timeout, .invalidResponse: false
        }
    }
}
