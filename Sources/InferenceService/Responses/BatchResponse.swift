import DequeModule
import HTTP
import Synchronization

/// Response body of a batch: lines that are produced while they are sent.
///
/// A window of images is processed ahead of the line being sent, so that the engine always has waiting jobs, and a
/// batch never occupies more of its queue than the window. After the deadline no image is begun, and one last line
/// stands for all that were not.
final class BatchResponse: BodyStream {
    /// The texts of the response.
    struct Lines: Sendable {
        /// What precedes the first line; nil if nothing does.
        let header: [UInt8]?
        /// Returns the line at an index.
        let line: @Sendable (Int) async -> [UInt8]
        /// Returns the line for a number of images, from an index on, that were not begun.
        let remainder: @Sendable (_ first: Int, _ count: Int) -> [UInt8]
    }

    private struct State {
        var header: [UInt8]?
        var running: Deque<Task<[UInt8], Never>> = []
        var next = 0
        var remainder: Range<Int>?
        var isAbandoned = false
    }

    private enum Step {
        case send([UInt8])
        case wait(Task<[UInt8], Never>)
        case end
    }

    private let count, window: Int
    private let deadline: ContinuousClock.Instant?
    private let lines: Lines
    private let state: Mutex<State>

    /// Creates a stream of `count` lines, of which `window` are produced at a time.
    init(count: Int, window: Int, deadline: ContinuousClock.Instant?, _ lines: Lines) {
        self.count = count
        self.window = window
        self.deadline = deadline
        self.lines = lines
        state = Mutex(State(header: lines.header))
    }

    func next() async -> [UInt8]? {
        switch state.withLock({ step(&$0) }) {
        case .send(let text): return text
        case .end: return nil
        case .wait(let line):
            let made = await line.value
            state.withLock { _ = $0.running.popFirst() }
            return made
        }
    }

    private func step(_ state: inout State) -> Step {
        if let header = state.header {
            state.header = nil
            return .send(header)
        }
        while !state.isAbandoned, state.next < count, state.running.count < window {
            if let deadline, .now >= deadline {
                state.remainder = state.next..<count
                state.next = count
                break
            }
            let index = state.next
            state.running.append(Task { [lines] in await lines.line(index) })
            state.next += 1
        }
        // The task stays in the queue while it runs, so that it can be cancelled.
        if let first = state.running.first { return .wait(first) }
        guard !state.isAbandoned, let remainder = state.remainder else { return .end }
        state.remainder = nil
        return .send(lines.remainder(remainder.lowerBound, remainder.count))
    }

    func cancel() {
        let running = state.withLock { state in
            state.isAbandoned = true
            defer { state.running = [] }
            return state.running
        }
        for line in running { line.cancel() }
    }
}
