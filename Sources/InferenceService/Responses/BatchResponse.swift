import DequeModule
import HTTP
import Synchronization

/// Response body of a batch: lines that are produced while they are sent.
///
/// A window of images is processed ahead of the line being sent, so that the engine always has waiting jobs, and a
/// batch never occupies more of its queue than the window.
final class BatchResponse: BodyStream {
    private struct State {
        var lines: Deque<Task<[UInt8], Never>> = []
        var next = 0
        var isAbandoned = false
    }

    private let count, window: Int
    private let line: @Sendable (Int) async -> [UInt8]
    private let state = Mutex(State())

    /// Creates a stream of `count` lines; `line` returns the line at an index.
    init(count: Int, window: Int, line: @escaping @Sendable (Int) async -> [UInt8]) {
        self.count = count
        self.window = window
        self.line = line
    }

    func next() async -> [UInt8]? {
        let first = state.withLock { state in
            while !state.isAbandoned, state.next < count, state.lines.count < window {
                let index = state.next
                state.lines.append(Task { [line] in await line(index) })
                state.next += 1
            }
            // The task stays in the queue while it runs, so that it can be cancelled.
            return state.lines.first
        }
        guard let first else { return nil }
        let made = await first.value
        state.withLock { _ = $0.lines.popFirst() }
        return made
    }

    func cancel() {
        let lines = state.withLock { state in
            state.isAbandoned = true
            defer { state.lines = [] }
            return state.lines
        }
        for line in lines { line.cancel() }
    }
}
