import Foundation

/// Work on items by a fixed set of threads, whose results are used in the order of the items.
///
/// A thread begins an item only if it is less than `window` after the first whose result is missing, so that the memory
/// for results is limited however long one item takes.
///
/// `@unchecked Sendable`: the state is protected by the condition's lock.
public final class OrderedRun<Output: Sendable>: @unchecked Sendable {
    /// The run was ended by ``interrupt()``.
    public struct Interrupted: Error {
        /// Creates the error.
        public init() {}
    }

    private let count: Int
    private let window: Int
    private let work: @Sendable (Int) throws -> Output

    private let condition = NSCondition()
    private var begun = 0
    private var used = 0
    private var results: [Int: Result<Output, any Error>] = [:]
    /// No further item is begun.
    private var isEnding = false
    private var isInterrupted = false

    /// Creates a run of `work` on the items from 0 to `count`.
    public init(count: Int, window: Int, _ work: @escaping @Sendable (Int) throws -> Output) {
        precondition(window > 0, "a window of \(window) items")
        (self.count, self.window, self.work) = (count, window, work)
    }

    /// Ends the run as soon as the result that is being used has been used; can be called on any thread.
    public func interrupt() {
        condition.withLock {
            isInterrupted = true
            isEnding = true
            condition.broadcast()
        }
    }

    /// Starts the threads, and calls `use` on this thread with each result in order.
    ///
    /// Throws the first error in that order, of the work or of `use`, or ``Interrupted``. Threads that are still working
    /// then are not waited for.
    public func run(threads: Int, _ use: (Int, Output) throws -> Void) throws {
        defer {
            condition.withLock {
                isEnding = true; condition.broadcast()
            }
        }
        for _ in 0..<max(1, min(threads, count)) { Thread.detachNewThread { self.runWork() } }
        for index in 0..<count { try use(index, next(index)) }
    }

    /// Waits for the result of the item `index` and removes it.
    private func next(_ index: Int) throws -> Output {
        try condition.withLock {
            while results[index] == nil, !isInterrupted { condition.wait() }
            guard let result = results.removeValue(forKey: index), !isInterrupted else { throw Interrupted() }
            used = index + 1
            condition.broadcast()
            return try result.get()
        }
    }

    private func runWork() {
        while let index = begin() {
            let result = Result { try work(index) }
            condition.withLock {
                results[index] = result
                // Later items would most likely fail in the same way, and their results would not be used.
                if case .failure = result { isEnding = true }
                condition.broadcast()
            }
        }
    }

    /// Returns the next item, once it is inside the window; nil if there is none.
    private func begin() -> Int? {
        condition.withLock {
            while begun < count, begun >= used + window, !isEnding { condition.wait() }
            guard begun < count, !isEnding else { return nil }
            defer { begun += 1 }
            return begun
        }
    }
}
