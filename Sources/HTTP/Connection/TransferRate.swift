/// Recent rate of a transfer in bytes per second: an exponentially weighted average over about two seconds.
public struct TransferRate: Sendable {
    private static let window = 2.0
    private var average = 0.0
    private var pending = 0
    private let start: Duration
    private var updated: Duration

    /// Creates the rate of a transfer that begins at `now`.
    public init(now: Duration) {
        start = now
        updated = now
    }

    /// Counts `bytes` transferred at `now`.
    public mutating func moved(_ bytes: Int, now: Duration) {
        update(now)
        pending += bytes
    }

    /// Returns the rate at `now`; infinite during the first second, when there are too few data.
    public mutating func bytesPerSecond(now: Duration) -> Double {
        update(now)
        return now - start < .seconds(1) ? .infinity : average + Double(pending) / Self.window
    }

    /// Adds the pending bytes to the average.
    ///
    /// The decay is linear in the elapsed time, which needs no `exp` and reaches zero: a transfer that stalls for the
    /// length of the window has rate 0.
    private mutating func update(_ now: Duration) {
        let elapsed = (now - updated) / .seconds(1)
        guard elapsed >= 0.05 else { return }
        let share = min(1, elapsed / Self.window)
        average = average * (1 - share) + Double(pending) / max(elapsed, 1e-9) * share
        pending = 0
        updated = now
    }
}
