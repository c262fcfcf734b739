import Dispatch
import Glibc
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
        if mustStart { queue.async { self.writeAll() } }
    }

    /// Waits until what has been logged is written, but no longer than `seconds`.
    public func flush(seconds: Double = 1) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + seconds)
    }

    private func writeAll() {
        while let (bytes, lines, untold) = takeWaiting() {
            let text = untold > 0 ? Array(notice(untold).utf8) + bytes : bytes
            guard !put(text) else { continue }
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

    /// Writes all of `bytes`; false if the descriptor does not take them.
    private func put(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Somebody made the descriptor non-blocking.
                var wanted = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&wanted, 1, 1000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
