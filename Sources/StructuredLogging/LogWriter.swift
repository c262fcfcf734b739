import Console
import Dispatch
import Synchronization

/// Puts lines on a descriptor from a thread of its own: whoever logs never waits, not for a full pipe and not for a
/// full disk.
///
/// What cannot be written is dropped and counted, and the count is told once lines pass again.
public final class LogWriter: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var waitingLines = 0
        var isWriting = false
        var dropped = 0
        /// Of those, how many the log has not been told of.
        var untold = 0
    }

    private let descriptor: Int32
    private let capacity: Int
    private let notice: @Sendable (Int) -> String
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "dia.log")

    /// Lines that were dropped.
    public var dropped: Int { state.withLock { $0.dropped } }

    /// A writer that holds up to `capacity` bytes; `notice` makes the line that tells of lines dropped.
    public init(descriptor: Int32, capacity: Int = 1 << 20, notice: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.notice = notice
    }

    /// Has `line` written soon.
    public func write(_ line: String) {
        let bytes = Array(line.utf8)
        let mustStart = state.withLock { state in
            guard state.waiting.count + bytes.count <= capacity else {
                state.dropped += 1
                state.untold += 1
                return false
            }
            state.waiting += bytes
            state.waitingLines += 1
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { queue.async { self.writeWaiting() } }
    }

    /// Waits until what has been logged is written, but no longer than `seconds`.
    public func flush(seconds: Double = 1) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + seconds)
    }

    private func writeWaiting() {
        while let (bytes, lines, untold) = takeWaiting() {
            let text = untold > 0 ? Array(notice(untold).utf8) + bytes : bytes
            guard writeAll(text, to: descriptor) != nil else { continue }
            state.withLock { state in
                state.dropped += lines
                state.untold += lines + untold
            }
        }
    }

    /// What is to be written now; nil, and the writer rests, if there is nothing.
    private func takeWaiting() -> (bytes: [UInt8], lines: Int, untold: Int)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { (state.waiting, state.waitingLines, state.untold) = ([], 0, 0) }
            return (state.waiting, state.waitingLines, state.untold)
        }
    }
}
