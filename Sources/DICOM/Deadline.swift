/// A point in time after which waiting is given up.
struct Deadline: Sendable {
    /// The time allowed at the beginning.
    let seconds: Int
    private let end: ContinuousClock.Instant

    /// Starts now.
    init(seconds: Int) {
        self.seconds = seconds
        end = .now.advanced(by: .seconds(seconds))
    }

    /// The time left, for `poll`: rounded up, and 0 only if it is over.
    var remainingMilliseconds: Int32 {
        let remaining = ContinuousClock.now.duration(to: end)
        guard remaining > .zero else { return 0 }
        return Int32(
            clamping: remaining / .milliseconds(1) < 1e9 ? Int((remaining / .milliseconds(1)).rounded(.up)) : .max
        )
    }
}
