/// Time limits for each phase of a connection.
public struct Deadlines: Sendable, Hashable {
    /// From accepting the connection to the end of its TLS handshake.
    public var handshake = Duration.seconds(10)
    /// From the first byte of a request head to its end.
    public var head = Duration.seconds(10)
    /// From the end of the head to the end of the body; extended by ``minimumRate``.
    public var body = Duration.seconds(20)
    /// Time for the body of a request that was rejected by its head, before the response is sent without waiting for it.
    ///
    /// It is short because a client may wait for the response before it sends more.
    public var unwantedBody = Duration.seconds(1)
    /// Time to send a response; extended by ``minimumRate``.
    public var write = Duration.seconds(20)
    /// Minimum transfer rate in bytes per second.
    ///
    /// Each `minimumRate` bytes transferred extend the deadline of a body or a response by one second. A slow
    /// connection is served; a stalled one is closed.
    public var minimumRate = 4096
    /// From the first byte of a request to the end of its body, and again for its response, regardless of the rate.
    public var request = Duration.seconds(300)
    /// Idle time between two requests.
    public var idle = Duration.seconds(75)
    /// Time to keep reading after the last response on a connection.
    ///
    /// Closing while bytes are still arriving would reset the connection, and the client could lose the response.
    public var linger = Duration.seconds(2)
    /// Time from the client's end of input to the first probe that checks whether it still waits for its response.
    ///
    /// The time is short so that many clients that disconnect at once do not keep places in the queue.
    public var firstProbe = Duration.milliseconds(20)
    /// Maximum time between further probes; the interval doubles after each probe.
    public var probe = Duration.milliseconds(250)

    /// The defaults.
    public init() {}

    /// Returns the deadline of a transfer that began at `start`, after `bytes` have been transferred.
    func end(of start: Duration, allowance: Duration, bytes: Int) -> Duration {
        start + min(request, allowance + .seconds(bytes) / max(1, minimumRate))
    }
}
