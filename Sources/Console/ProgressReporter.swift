import Foundation

/// Reports the progress of a long task to standard error.
///
/// On a terminal it shows a bar with the rate and the remaining time; otherwise it prints a line from time to time.
public struct ProgressReporter {
    private let title: String
    private let total: Int
    private let initiallyDone: Int
    private let linePause: Duration
    private let isTerminal = StandardStream.error.isTerminal
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?

    /// Creates a reporter for `total` steps, of which `done` are already done.
    ///
    /// Without a terminal it prints a line every `linePause`.
    public init(_ title: String, total: Int, done: Int = 0, linePause: Duration = .seconds(30)) {
        self.title = title
        self.total = total
        self.linePause = linePause
        initiallyDone = done
    }

    /// Reports that `done` steps are done; `note` is appended to the line.
    public mutating func update(_ done: Int, _ note: String = "") {
        let now = ContinuousClock.now
        let pause: Duration = isTerminal ? .milliseconds(200) : linePause
        if let lastShown, now - lastShown < pause, done < total { return }
        lastShown = now
        let seconds = (now - start) / .seconds(1)
        let rate = seconds > 0 ? Double(done - initiallyDone) / seconds : 0
        let left = rate > 0 ? Self.time(Double(total - done) / rate) : "?"
        let figures = "\(done)/\(total)  \(String(format: "%.2f", rate))/s  \(left) left  \(note)"
        if isTerminal {
            let width = 24
            let filled = total > 0 ? width * done / total : width
            let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: width - filled)
            write("\r\u{1B}[K\(title) [\(bar)] \(figures)\(done == total ? "\n" : "")")
        } else {
            write("\(title): \(figures)\n")
        }
    }

    /// Ends the line of the bar early, so that other text can be printed.
    public func endLine() {
        if isTerminal { write("\n") }
    }

    /// Ignores errors, because a progress report that cannot be written must not stop the task.
    private func write(_ text: String) { try? StandardStream.error.write(text) }

    private static func time(_ seconds: Double) -> String {
        let seconds = Int(min(seconds, 1e9))
        if seconds >= 3600 { return "\(seconds / 3600) h \(seconds / 60 % 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }
}
