import Synchronization

/// Lines of a batch that are sent together: those that have come since the client took the last ones.
///
/// Lines are joined as they wait, because millions of small arrays would take several times their memory.
final class LinePiece: Sendable {
    /// Bytes at which a piece takes no more lines, and the memory that is reserved for it.
    static let limit = 65_536

    private struct State {
        var bytes: [UInt8] = []
        var isTaken = false
    }

    private let state = Mutex(State())
    private let memory: BatchMemory

    /// Creates an empty piece that holds `memory` until it is taken.
    init(_ memory: BatchMemory) { self.memory = memory }

    /// Adds a line; returns false if the piece has been taken or is full.
    func append(_ line: [UInt8]) -> Bool {
        state.withLock { state in
            guard !state.isTaken, state.bytes.isEmpty || state.bytes.count + line.count <= Self.limit else {
                return false
            }
            state.bytes += line
            return true
        }
    }

    /// Returns the lines, and releases their memory; nothing can be added afterwards.
    func take() -> [UInt8] {
        defer { memory.release() }
        return state.withLock { state in
            defer { state = State(isTaken: true) }
            return state.bytes
        }
    }
}
