import Dispatch
import Foundation
import Glibc
import Synchronization

/// Helper threads that wait for work close at hand.
///
/// A pass through a network is some hundred short parallel parts. Waking a sleeping thread for each takes
/// as long as the part itself, so a helper goes on looking for work for a moment before it sleeps; between
/// requests all of them sleep. A helper that wakes too late is not waited for.
final class SpinningThreads: Sendable {
    typealias Body = (_ item: Int, _ worker: Int) -> Void

    /// What the threads share.
    ///
    /// `@unchecked Sendable`: `body` and `items` are written by the leader only while the gate is closed and
    /// no helper is inside; a helper reads them only after it has entered through the gate.
    private final class State: @unchecked Sendable {
        var body: Body?
        var items = 0
        let shares: [Share]
        /// The round's number times 2, plus 1 while helpers may enter, in the upper bits; the helpers inside in
        /// the lower sixteen.
        let gate = Atomic<UInt64>(0)
        let sleepers = Atomic<Int>(0)
        let semaphore = DispatchSemaphore(value: 0)
        let isShutDown = Atomic<Bool>(false)

        init(threads: Int) { shares = (0..<threads).map { _ in Share() } }
    }

    /// How far a thread's share of the items is done.
    private final class Share: Sendable {
        let next = Atomic<Int>(0)
    }

    private let state: State
    private let helpers: Int

    /// How often a helper spins before it sleeps: some fifty microseconds.
    private static let spinsBeforeSleep = 4_000
    /// After so many spins a thread lets others have its processor: the one it waits for may be among them.
    private static let spinsBeforeYield = 128
    private static let open: UInt64 = 1 << 16
    private static let round: UInt64 = 2 << 16
    private static let inside: UInt64 = 0xFFFF

    /// A threads of so many helpers beside the calling thread.
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

    /// Ends the helpers.
    func shutdown() {
        state.isShutDown.store(true, ordering: .sequentiallyConsistent)
        for _ in 0..<helpers { state.semaphore.signal() }
    }

    /// Calls `body` for each item, on the calling thread (worker 0) and on the helpers that are there in time;
    /// returns when all items are done and no helper is inside.
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
        // Close the gate, then wait for those inside; they are on their last items.
        state.gate.wrappingSubtract(Self.open, ordering: .acquiringAndReleasing)
        var spins = 0
        while state.gate.load(ordering: .acquiring) & Self.inside != 0 {
            spins += 1
            if spins % Self.spinsBeforeYield == 0 { sched_yield() }
        }
        state.body = nil
    }

    /// Does items, those of the worker's own share first.
    ///
    /// The same worker gets the same part of every layer, and finds in its caches what it wrote there for the
    /// layer before: cores of a server may be far apart. Only who is done early helps with another's share.
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
            // Asleep counts before the last look: the leader opens the gate before it counts the sleepers.
            state.sleepers.wrappingAdd(1, ordering: .sequentiallyConsistent)
            if state.gate.load(ordering: .sequentiallyConsistent) & open != 0, wakeUp(state) { continue }
            state.semaphore.wait()
        }
    }

    /// Takes one sleeper off the count; false if the leader has, and will ring.
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
