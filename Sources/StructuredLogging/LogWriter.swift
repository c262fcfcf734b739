import Console
import Dispatch
import Synchronization

/// Writes lines to a descriptor on its own thread, so that logging never blocks on a full pipe or a full disk.
///
/// Lines that cannot be written are dropped and counted. The count is logged when writing succeeds again.
public final class LogWriter: Sendable {
    private struct State {
        var waiting: [UInt8] = []
        var waitingLines = 0
        var isWriting = false
        var dropped = 0
        /// Number of dropped lines that have not been reported in the log yet.
        var unreported = 0
    }

    private let descriptor: Int32
    private let capacity: Int
    private let notice: @Sendable (Int) -> String
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "dia.log")

    /// Number of dropped lines.
    public var dropped: Int { state.withLock { $0.dropped } }

    /// Creates a writer that buffers up to `capacity` bytes; `notice` returns the line that reports dropped lines.
    public init(descriptor: Int32, capacity: Int = 1 << 20, notice: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.notice = notice
    }

    /// Queues `line` for writing.
    public func write(_ line: String) {
        let bytes = Array(line.utf8)
        let mustStart = state.withLock { state in
            guard state.waiting.count + bytes.count <= capacity else {
                state.dropped += 1
                state.unreported += 1
                return false
            }
            state.waiting += bytes
            state.waitingLines += 1
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { queue.async { self.writeWaiting() } }
    }

    /// Waits until all queued lines are written, but at most `seconds`.
    public func flush(seconds: Double = 1) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + seconds)
    }

    private func writeWaiting() {
        while let (bytes, lines, unreported) = takeWaiting() {
            let text = unreported > 0 ? Array(notice(unreported).utf8) + bytes : bytes
            guard writeAll(text, to: descriptor) != nil else { continue }
            state.withLock { state in
                state.dropped += lines
                state.unreported += lines + unreported
            }
        }
    }

    /// Returns the lines to write now; if there are none, returns nil and marks the writer idle.
    private func takeWaiting() -> (bytes: [UInt8], lines: Int, unreported: Int)? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isWriting = false
                return nil
            }
            defer { (state.waiting, state.waitingLines, state.unreported) = ([], 0, 0) }
            return (state.waiting, state.waitingLines, state.unreported)
        }
    }
}
