import Console
import Foundation

/// Shows how far a long task is: a bar with rate and time left on a terminal, now and then a plain line elsewhere.
///
/// Writes to standard error.
public struct ProgressReporter {
    private let title: String
    private let total: Int
    private let first: Int
    private let isTerminal = StandardStream.error.isTerminal
    private let start = ContinuousClock.now
    private var lastShown: ContinuousClock.Instant?

    /// ProgressReporter of `total` steps, of which `done` were done before.
    public init(_ title: String, total: Int, done: Int = 0) {
        self.title = title
        self.total = total
        first = done
    }

    /// Notes that `done` steps are done; `note` stands behind the figures.
    public mutating func update(_ done: Int, _ note: String = "") {
        let now = ContinuousClock.now
        let pause: Duration = isTerminal ? .milliseconds(200) : .seconds(30)
        if let lastShown, now - lastShown < pause, done < total { return }
        lastShown = now
        let seconds = (now - start) / .seconds(1)
        let rate = seconds > 0 ? Double(done - first) / seconds : 0
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

    /// Ends the bar's line before its time, for whatever is printed next.
    public func endLine() {
        if isTerminal { write("\n") }
    }

    /// ProgressReporter that nobody can see is no reason to stop.
    private func write(_ text: String) { try? StandardStream.error.write(text) }

    private static func time(_ seconds: Double) -> String {
        let seconds = Int(min(seconds, 1e9))
        if seconds >= 3600 { return "\(seconds / 3600) h \(seconds / 60 % 60) min" }
        return seconds >= 60 ? "\(seconds / 60) min \(seconds % 60) s" : "\(seconds) s"
    }
}
