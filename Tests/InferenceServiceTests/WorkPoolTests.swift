import Dispatch
import HTTP
import InferenceService
import Synchronization
import Testing

/// The thread pool for work on images.
@Suite(.timeLimit(.minutes(1))) struct WorkPoolTests {
    private let budget = MemoryBudget(bytes: 2000, work: 1000)

    /// Occupies a thread until it is opened.
    private final class Gate: Sendable {
        private let started = DispatchSemaphore(value: 0)
        private let opened = DispatchSemaphore(value: 0)

        func pass() {
            started.signal()
            opened.wait()
        }

        func waitUntilEntered() async {
            await withCheckedContinuation { continuation in
                DispatchQueue.global().async {
                    self.started.wait()
                    continuation.resume()
                }
            }
        }

        func open() { opened.signal() }
    }

    /// Records events in order.
    private final class Record: Sendable {
        private let events = Mutex<[String]>([])

        func add(_ event: String) { events.withLock { $0.append(event) } }

        var all: [String] { events.withLock { $0 } }
    }

    @Test("Work runs, and its memory is counted while it runs")
    func runs() async throws {
        let pool = WorkPool(threads: 2, budget: budget.work)
        let used = try await pool.run(cost: 1, bytes: 300) { [budget] _ in budget.work.bytes }
        #expect(used == 300)
        // The result arrives before the memory is released.
        while budget.work.bytes > 0 { await Task.yield() }
    }

    @Test("Cheap work runs before expensive work that was queued earlier")
    func order() async throws {
        let pool = WorkPool(threads: 1, budget: budget.work)
        let gate = Gate()
        let record = Record()
        async let first: Void = pool.run(cost: 1, bytes: 1) { _ in gate.pass() }
        await gate.waitUntilEntered()
        async let large: Void = pool.run(cost: 25_000_000, bytes: 1) { _ in record.add("large") }
        while pool.waiting < 1 { await Task.yield() }
        async let small: Void = pool.run(cost: 1000, bytes: 1) { _ in record.add("small") }
        while pool.waiting < 2 { await Task.yield() }
        gate.open()
        _ = try await (first, large, small)
        #expect(record.all == ["small", "large"])
    }

    @Test("Large work never occupies all threads")
    func lanes() async throws {
        let pool = WorkPool(threads: 2, budget: budget.work)
        let gate = Gate()
        async let first: Void = pool.run(cost: 25_000_000, bytes: 1) { _ in gate.pass() }
        await gate.waitUntilEntered()
        async let second: Void = pool.run(cost: 25_000_000, bytes: 1) { _ in }
        // Runs although large work is queued ahead and a large piece is running.
        try await pool.run(cost: 10, bytes: 1) { _ in }
        gate.open()
        _ = try await (first, second)
    }

    @Test("Work waits for memory and starts when enough is released")
    func memory() async throws {
        let pool = WorkPool(threads: 2, budget: budget.work)
        let held = try #require(budget.work.reserve(800))
        let record = Record()
        async let waiting: Void = pool.run(cost: 1, bytes: 500) { _ in record.add("started") }
        // Work that needs less does not wait.
        try await pool.run(cost: 1, bytes: 100) { _ in }
        #expect(record.all.isEmpty)
        held.release()
        try await waiting
        #expect(record.all == ["started"])
    }

    @Test("Work that waits for much memory is not starved by work that needs less")
    func largeMemory() async throws {
        let pool = WorkPool(threads: 2, budget: budget.work)
        let held = try #require(budget.work.reserve(400))
        let record = Record()
        async let large: Void = pool.run(cost: 1, bytes: 900) { _ in record.add("large") }
        while pool.waiting < 1 { await Task.yield() }
        async let medium: Void = pool.run(cost: 2, bytes: 300) { _ in record.add("medium") }
        while pool.waiting < 2 { await Task.yield() }
        try await pool.run(cost: 3, bytes: 10) { _ in record.add("small") }
        held.release()
        _ = try await (large, medium)
        #expect(record.all == ["small", "large", "medium"])
    }

    @Test("Cancelled work is dropped while it waits and notified while it runs")
    func cancellation() async throws {
        let pool = WorkPool(threads: 1, budget: budget.work)
        let gate = Gate()
        let running = Task {
            try await pool.run(cost: 1, bytes: 1) { context in
                gate.pass()
                return context.isCancelled
            }
        }
        await gate.waitUntilEntered()
        let waiting = Task { try await pool.run(cost: 1, bytes: 1) { _ in true } }
        while pool.waiting < 1 { await Task.yield() }
        waiting.cancel()
        running.cancel()
        await #expect(throws: WorkPool.Rejection.cancelled) { try await waiting.value }
        gate.open()
        #expect(try await running.value)
    }

    @Test("Work is rejected if its deadline passes while it waits or cannot be met")
    func deadlines() async throws {
        let pool = WorkPool(threads: 1, budget: budget.work)
        let gate = Gate()
        async let first: Void = pool.run(cost: 1, bytes: 1) { _ in gate.pass() }
        await gate.waitUntilEntered()
        let deadline = ContinuousClock.now + .seconds(2)
        let late = Task { try await pool.run(cost: 1, bytes: 1, deadline: deadline) { _ in } }
        while pool.waiting < 1 { await Task.yield() }
        let crowd = (0..<100).map { _ in Task { try await pool.run(cost: 25_000_000, bytes: 1) { _ in } } }
        while pool.waiting < 101 { await Task.yield() }
        await #expect(throws: WorkPool.Rejection.self) {
            try await pool.run(cost: 25_000_000, bytes: 1, deadline: .now + .seconds(10)) { _ in }
        }
        try await Task.sleep(until: deadline + .milliseconds(1), clock: .continuous)
        gate.open()
        await #expect(throws: WorkPool.Rejection.late) { try await late.value }
        try await first
        for task in crowd { try await task.value }
    }
}
