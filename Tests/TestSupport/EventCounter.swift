import Synchronization

/// Counts events and lets tests wait for them instead of sleeping.
public final class EventCounter: Sendable {
    private struct State {
        var count = 0
        var waiting: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    /// Creates a counter at zero.
    public init() {}

    /// Counts one event.
    public func signal() {
        let reached = state.withLock { state in
            state.count += 1
            let count = state.count
            let reached = state.waiting.filter { $0.count <= count }
            state.waiting.removeAll { $0.count <= count }
            return reached.map(\.continuation)
        }
        for continuation in reached { continuation.resume() }
    }

    /// Waits until `count` events have been counted since the counter was created.
    public func wait(for count: Int = 1) async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                guard state.count < count else { return true }
                state.waiting.append((count, continuation))
                return false
            }
            if isReached { continuation.resume() }
        }
    }
}
