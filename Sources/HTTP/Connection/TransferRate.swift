/// The bytes per second that a transfer moved recently: an exponentially weighted average over about two seconds.
public struct TransferRate: Sendable {
    private static let window = 2.0
    private var average = 0.0
    private var pending = 0
    private let start: Duration
    private var updated: Duration

    /// The rate of a transfer that begins at `now`.
    public init(now: Duration) {
        start = now
        updated = now
    }

    /// Counts `bytes` that moved at `now`.
    public mutating func moved(_ bytes: Int, now: Duration) {
        update(now)
        pending += bytes
    }

    /// The rate at `now`; infinite in the first second, when nothing can be said yet.
    public mutating func bytesPerSecond(now: Duration) -> Double {
        update(now)
        return now - start < .seconds(1) ? .infinity : average + Double(pending) / Self.window
    }

    /// Folds what is pending into the average. The decay is linear in the elapsed time, which needs no `exp` and ends
    /// at zero: a transfer that stalls for the window's length has no rate.
    private mutating func update(_ now: Duration) {
        let elapsed = (now - updated) / .seconds(1)
        guard elapsed >= 0.05 else { return }
        let share = min(1, elapsed / Self.window)
        average = average * (1 - share) + Double(pending) / max(elapsed, 1e-9) * share
        pending = 0
        updated = now
    }
}
