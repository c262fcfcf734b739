import Dispatch
import Foundation
import Glibc
import Synchronization

/// Helper threads that spin for a short time while they wait for work.
///
/// A pass through a network consists of about a hundred short parallel parts. Waking a sleeping thread for each part
/// takes as long as the part itself, so a helper spins for a moment before it sleeps. Between requests all helpers
/// sleep. The calling thread does not wait for a helper that wakes up too late.
final class SpinningThreads: Sendable {
    typealias Body = (_ item: Int, _ worker: Int) -> Void

    /// The state shared by the threads.
    ///
    /// `@unchecked Sendable`: the calling thread writes `body` and `items` only while the gate is closed and no helper
    /// is inside; a helper reads them only after it has entered through the gate.
    private final class State: @unchecked Sendable {
        var body: Body?
        var items = 0
        let shares: [Share]
        /// The state of the gate and the number of helpers inside.
        ///
        /// The lower 16 bits are the number of helpers inside. The upper bits are the number of the round times 2,
        /// plus 1 while helpers may enter.
        let gate = Atomic<UInt64>(0)
        let sleepers = Atomic<Int>(0)
        let semaphore = DispatchSemaphore(value: 0)
        let isShutDown = Atomic<Bool>(false)

        init(threads: Int) { shares = (0..<threads).map { _ in Share() } }
    }

    /// The next item in a thread's share of the items.
    private final class Share: Sendable {
        let next = Atomic<Int>(0)
    }

    private let state: State
    private let helpers: Int

    /// The number of spins before a helper sleeps: about 50 microseconds.
    private static let spinsBeforeSleep = 4_000
    /// The number of spins before a thread yields its processor, because the thread it waits for may need it.
    private static let spinsBeforeYield = 128
    private static let open: UInt64 = 1 << 16
    private static let round: UInt64 = 2 << 16
    private static let inside: UInt64 = 0xFFFF

    /// Starts `helpers` threads in addition to the calling thread.
    init(helpers: Int) {
        self.helpers = helpers
        state = State(threads: helpers + 1)
        for index in 0..<helpers {
            let state = state
            let thread = Thread { SpinningThreads.help(state, worker: index + 1) }
            thread.name = "dia-engine-\(index + 1)"
            thread.start()
        }
    }

    /// Stops the helpers.
    func shutdown() {
        state.isShutDown.store(true, ordering: .sequentiallyConsistent)
        for _ in 0..<helpers { state.semaphore.signal() }
    }

    /// Calls `body` for each item, on the calling thread (worker 0) and on the helpers that wake up in time.
    ///
    /// Returns when all items are done and no helper is inside.
    func run(_ items: Int, _ body: @escaping Body) {
        state.body = body
        state.items = items
        for (worker, share) in state.shares.enumerated() {
            share.next.store(worker * items / state.shares.count, ordering: .relaxed)
        }
        let before = state.gate.load(ordering: .relaxed)
        state.gate.store(before + Self.round + Self.open, ordering: .sequentiallyConsistent)
        let sleeping = state.sleepers.exchange(0, ordering: .sequentiallyConsistent)
        for _ in 0..<sleeping { state.semaphore.signal() }
        Self.work(state, worker: 0)
        // Close the gate, then wait for the helpers inside, which are finishing their last items.
        state.gate.wrappingSubtract(Self.open, ordering: .acquiringAndReleasing)
        var spins = 0
        while state.gate.load(ordering: .acquiring) & Self.inside != 0 {
            spins += 1
            if spins % Self.spinsBeforeYield == 0 { sched_yield() }
        }
        state.body = nil
    }

    /// Processes items, starting with those in the worker's own share.
    ///
    /// Each worker processes the same part of every layer, so its input is in the caches of its own core. A worker
    /// takes items from the shares of others only after its own share is done.
    private static func work(_ state: State, worker: Int) {
        guard let body = state.body else { return }
        let (items, threads) = (state.items, state.shares.count)
        for distance in 0..<threads {
            let owner = (worker + distance) % threads
            let end = (owner + 1) * items / threads
            while true {
                let item = state.shares[owner].next.wrappingAdd(1, ordering: .relaxed).oldValue
                guard item < end else { break }
                body(item, worker)
            }
        }
    }

    private static func help(_ state: State, worker: Int) {
        var seen: UInt64 = 0
        var spins = 0
        while !state.isShutDown.load(ordering: .relaxed) {
            let gate = state.gate.load(ordering: .sequentiallyConsistent)
            if gate & open != 0, gate >> 17 != seen {
                let entered = state.gate.compareExchange(
                    expected: gate,
                    desired: gate + 1,
                    ordering: .acquiringAndReleasing
                )
                if entered.exchanged {
                    seen = gate >> 17
                    work(state, worker: worker)
                    state.gate.wrappingSubtract(1, ordering: .acquiringAndReleasing)
                    spins = 0
                }
                continue
            }
            spins += 1
            if spins % spinsBeforeYield == 0 { sched_yield() }
            guard spins > spinsBeforeSleep else { continue }
            spins = 0
            // Increment `sleepers` before the last check: the calling thread opens the gate before it reads `sleepers`.
            state.sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
            if state.gate.load(ordering: .sequentiallyConsistent) & open != 0, wakeUp(state) { continue }
            state.semaphore.wait()
        }
    }

    /// Decrements the number of sleepers; returns false if the calling thread has done so and will signal.
    private static func wakeUp(_ state: State) -> Bool {
        var sleepers = state.sleepers.load(ordering: .relaxed)
        while sleepers > 0 {
            let taken = state.sleepers.compareExchange(
                expected: sleepers,
                desired: sleepers - 1,
                ordering: .sequentiallyConsistent
            )
            if taken.exchanged { return true }
            sleepers = taken.original
        }
        return false
    }
}
