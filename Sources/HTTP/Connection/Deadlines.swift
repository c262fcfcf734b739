/// How long each phase of a connection may take.
public struct Deadlines: Sendable, Hashable {
    /// From the connection to the end of its TLS handshake.
    public var handshake = Duration.seconds(10)
    /// From the first byte of a head to its end.
    public var head = Duration.seconds(10)
    /// From the end of a head to the end of its body; more by ``minimumRate``.
    public var body = Duration.seconds(20)
    /// Until an answer is taken by its reader; more by ``minimumRate``.
    public var write = Duration.seconds(20)
    /// Bytes a second: so many that pass win a body or an answer a second more, so that a slow line is served and
    /// one that only pretends to be slow is not.
    public var minimumRate = 4096
    /// From the first byte of a request to the end of its body, and again for its answer, whatever the rate.
    public var request = Duration.seconds(300)
    /// Between two requests.
    public var idle = Duration.seconds(75)
    /// After an answer that closes, for bytes still on their way: closing at once would reset the connection, and
    /// the reader would lose the answer.
    public var linger = Duration.seconds(2)
    /// From a client's last byte to the first probe whether it still waits for its answer. Short: many clients that leave
    /// at once must not keep places in the queue.
    public var firstProbe = Duration.milliseconds(20)
    /// Between two further probes, at most; each waits twice as long as the one before.
    public var probe = Duration.milliseconds(250)

    /// The defaults.
    public init() {}

    /// When a transfer begun at `start`, with an allowance, has taken too long after `bytes` have passed.
    func end(of start: Duration, allowance: Duration, bytes: Int) -> Duration {
        start + min(request, allowance + .seconds(bytes) / max(1, minimumRate))
    }
}
