import Client
import Dispatch
import Synchronization
import Testing

/// Parallel work whose results are used in order.
@Suite(.timeLimit(.minutes(1))) struct OrderedRunTests {
    private struct Failure: Error, Equatable { let number: Int }

    @Test("Results arrive in order, each once", arguments: [1, 4, 16])
    func order(threads: Int) throws {
        let run = OrderedRun(count: 500, window: 20) { $0 * $0 }
        var results: [Int] = []
        try run.run(threads: threads) { index, output in
            #expect(index == results.count)
            results.append(output)
        }
        #expect(results == (0..<500).map { $0 * $0 })
    }

    @Test("No item begins outside the window, however long the first takes")
    func window() throws {
        let begun = Atomic(0)
        let released = DispatchSemaphore(value: 0)
        let lastOfWindow = DispatchSemaphore(value: 0)
        let run = OrderedRun(count: 100, window: 10) { index in
            begun.add(1, ordering: .relaxed)
            if index == 9 { lastOfWindow.signal() }
            if index == 0 { released.wait() }
            return index
        }
        let watcher = DispatchQueue(label: "watcher")
        let observed = Mutex(0)
        watcher.async {
            lastOfWindow.wait()
            observed.withLock { $0 = begun.load(ordering: .relaxed) }
            released.signal()
        }
        try run.run(threads: 4) { _, _ in }
        #expect(observed.withLock { $0 } == 10 && begun.load(ordering: .relaxed) == 100)
    }

    @Test("An error ends the run after the results before it")
    func failure() {
        let run = OrderedRun(count: 1000, window: 8) { index in
            if index == 5 { throw Failure(number: index) }
            return index
        }
        var used: [Int] = []
        #expect(throws: Failure(number: 5)) { try run.run(threads: 3) { index, _ in used.append(index) } }
        #expect(used == [0, 1, 2, 3, 4])
    }

    @Test("An error of the consumer ends the run")
    func consumerFailure() {
        let begun = Atomic(0)
        let run = OrderedRun(count: 100_000, window: 8) { _ in begun.add(1, ordering: .relaxed) }
        #expect(throws: Failure(number: 3)) {
            try run.run(threads: 3) { index, _ in if index == 3 { throw Failure(number: 3) } }
        }
        #expect(begun.load(ordering: .relaxed) <= 12)
    }

    @Test("A run can be interrupted while an item never ends")
    func interruption() {
        let never = DispatchSemaphore(value: 0)
        let begun = DispatchSemaphore(value: 0)
        let run = OrderedRun(count: 10, window: 8) { index in
            if index == 2 {
                begun.signal()
                never.wait()
            }
            return index
        }
        DispatchQueue(label: "interrupter").async {
            begun.wait()
            run.interrupt()
        }
        #expect(throws: OrderedRun<Int>.Interrupted.self) { try run.run(threads: 2) { _, _ in } }
        never.signal()
    }
}
