import Console

/// Progress on standard error, for runs that are long enough to wait for.
struct Progress {
    private var reporter: ProgressReporter
    private let start = ContinuousClock.now
    private let isShown: Bool
    private var hasBegun = false
    private static let linePause = Duration.seconds(10)

    /// Creates the progress of `total` files.
    ///
    /// It is not shown if rows appear on the same terminal.
    init(_ title: String, total: Int, isQuiet: Bool, showsRows: Bool) {
        reporter = ProgressReporter(title, total: total, linePause: Self.linePause)
        isShown = !isQuiet && !(showsRows && StandardStream.output.isTerminal)
    }

    /// Reports that `done` files are done.
    mutating func update(_ done: Int) {
        guard isShown else { return }
        let patience: Duration = StandardStream.error.isTerminal ? .milliseconds(500) : Self.linePause
        guard hasBegun || ContinuousClock.now - start >= patience else { return }
        hasBegun = true
        reporter.update(done)
    }

    /// Ends the line of the bar, so that other text can be printed.
    func endLine() { if hasBegun { reporter.endLine() } }
}
