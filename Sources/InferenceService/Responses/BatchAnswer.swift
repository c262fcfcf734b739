import DequeModule
import HTTP
import Synchronization

/// The lines of a batch's answer, made while they are sent.
///
/// A window of images is worked on ahead of the line being sent, so that the engine has the next ones waiting
/// while it runs, and a batch never holds more of its queue than that.
final class BatchAnswer: BodyStream {
    private struct State {
        var lines: Deque<Task<[UInt8], Never>> = []
        var next = 0
        var isAbandoned = false
    }

    private let count, window: Int
    private let line: @Sendable (Int) async -> [UInt8]
    private let state = Mutex(State())

    /// `count` lines; `line` makes each by its index.
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
            // It stays while it is waited for, so that it can be given up.
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
