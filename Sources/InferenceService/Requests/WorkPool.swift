import Dispatch
package import HTTP
import Synchronization

/// A bounded thread pool for work on images and bodies: decoding, unpacking, parsing, encoding.
///
/// Work starts when a thread is free and its memory is within the budget. Cheap work goes first: an expensive piece
/// waits as if it had come later, so that a small image does not wait behind many large ones, and one thread is never
/// given to large work while there are others. Threads are the pool's own: neither the connections' queue nor Swift's
/// tasks wait for them.
package final class WorkPool: Sendable {
    /// Why a piece of work was not done.
    package enum Refusal: Error, Equatable {
        /// What waits ahead of it would take longer than its deadline allows.
        case busy(retryAfter: Int)
        /// Its deadline passed before its turn came.
        case late
        /// Nobody waits for the result any more.
        case cancelled
    }

    /// What a piece of work knows of its surroundings.
    package struct Context: Sendable {
        fileprivate let cancellation: Cancellation
        /// The memory that the work holds; what is made of it may hold it longer.
        package let memory: MemoryBudget.Reservation

        /// Whether nobody waits for the result any more; to be asked now and then.
        package var isCancelled: Bool { cancellation.isCancelled }
    }

    /// Set once nobody waits for a piece of work any more.
    fileprivate final class Cancellation: Sendable {
        private let flag = Atomic<Bool>(false)
        let deadline: ContinuousClock.Instant?

        init(_ deadline: ContinuousClock.Instant?) { self.deadline = deadline }

        func cancel() { flag.store(true, ordering: .relaxed) }

        var isCancelled: Bool {
            flag.load(ordering: .relaxed) || deadline.map { $0 < .now } ?? false
        }
    }

    private struct Job: Sendable {
        let number: UInt64
        /// Jobs run in this order.
        let priority: ContinuousClock.Instant
        let cost, bytes: Int
        let cancellation: Cancellation
        let run: @Sendable (Context) -> Void
        let reject: @Sendable (Refusal) -> Void

        var isLarge: Bool { cost > WorkPool.largeCost }
    }

    private struct State {
        var lastNumber: UInt64 = 0
        var waiting: [Job] = []
        /// Queues without work; each has a thread of its own while it has some.
        var idle: [DispatchQueue]
        /// The cost of each job that runs.
        var running: [UInt64: Int] = [:]
        /// A moving average of the seconds that a unit of cost takes.
        var secondsPerCost = 2e-8
    }

    /// Work beyond this cost may not occupy all threads.
    private static let largeCost = 2_000_000
    /// The seconds by which a unit of cost puts work behind cheaper work that comes later: five million pixels, one second.
    private static let penalty = 2e-7

    private let threads: Int
    private let budget: MemoryBudget.Part
    private let state: Mutex<State>

    /// A pool of `threads` threads whose work holds memory of `budget`.
    package init(threads: Int, budget: MemoryBudget.Part) {
        self.threads = threads
        self.budget = budget
        state = Mutex(State(idle: (0..<threads).map { DispatchQueue(label: "dia.work.\($0)") }))
        budget.onRelease { [weak self] in self?.schedule() }
    }

    /// Pieces of work that wait.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// What `work` returns, run on a thread of the pool.
    ///
    /// - Parameters:
    ///   - cost: How long the work is likely to take, in pixels to decode.
    ///   - bytes: The memory that it needs, at most.
    package func run<Value: Sendable>(
        cost: Int,
        bytes: Int,
        deadline: ContinuousClock.Instant? = nil,
        _ work: @escaping @Sendable (Context) -> Value
    ) async throws(Refusal) -> Value {
        let cancellation = Cancellation(deadline)
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let outcome: Result<Value, Refusal> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                submit(
                    Job(
                        number: number,
                        priority: .now + .seconds(Double(cost) * Self.penalty),
                        cost: cost,
                        bytes: bytes,
                        cancellation: cancellation,
                        run: { continuation.resume(returning: .success(work($0))) },
                        reject: { continuation.resume(returning: .failure($0)) }
                    )
                )
                // The handler below may have run before there was anything to cancel.
                if Task.isCancelled { cancel(number) }
            }
        } onCancel: {
            cancellation.cancel()
            cancel(number)
        }
        return try outcome.get()
    }

    private func submit(_ job: Job) {
        let refusal: Refusal? = state.withLock { state in
            let place = state.waiting.firstIndex { $0.priority > job.priority } ?? state.waiting.endIndex
            let ahead = state.waiting[..<place].reduce(0) { $0 + $1.cost }
            let seconds = Double(ahead) * state.secondsPerCost / Double(threads)
            if let deadline = job.cancellation.deadline, .now + .seconds(seconds) > deadline {
                return .busy(retryAfter: max(1, Int(min(seconds, 3600).rounded(.up))))
            }
            state.waiting.insert(job, at: place)
            return nil
        }
        if let refusal { job.reject(refusal) } else { schedule() }
    }

    /// Gives up a job that waits; one that runs is told by its ``Context``.
    private func cancel(_ number: UInt64) {
        let job = state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        job?.reject(.cancelled)
    }

    /// Starts what can be started.
    private func schedule() {
        while let (job, memory, queue) = takeNext() {
            queue.async { [self] in
                let start = ContinuousClock.now
                job.run(Context(cancellation: job.cancellation, memory: memory))
                finish(job, on: queue, took: .now - start)
            }
        }
        let late = state.withLock { state in
            // Asked once for each: a deadline may pass between two questions.
            let (late, others) = state.waiting.reduce(into: ([Job](), [Job]())) { parts, job in
                if job.cancellation.isCancelled { parts.0.append(job) } else { parts.1.append(job) }
            }
            state.waiting = others
            return late
        }
        for job in late { job.reject(.late) }
    }

    /// The next job that may start, with its memory and a queue to run it on; nil if there is none.
    private func takeNext() -> (Job, MemoryBudget.Reservation, DispatchQueue)? {
        state.withLock { state in
            guard !state.idle.isEmpty else { return nil }
            let large = state.running.values.count { $0 > Self.largeCost }
            let mayBeLarge = large < max(1, threads - 1)
            var isMemoryAwaited = false
            for (place, job) in state.waiting.enumerated() where mayBeLarge || !job.isLarge {
                if job.cancellation.isCancelled { continue }
                // Who waits for memory is only overtaken by what needs hardly any, or its turn would never come.
                if isMemoryAwaited, job.bytes > budget.limit / 16 { continue }
                guard let memory = budget.reserve(job.bytes) else {
                    isMemoryAwaited = true
                    continue
                }
                state.waiting.remove(at: place)
                state.running[job.number] = job.cost
                return (job, memory, state.idle.removeLast())
            }
            return nil
        }
    }

    private func finish(_ job: Job, on queue: DispatchQueue, took elapsed: Duration) {
        state.withLock { state in
            state.running[job.number] = nil
            state.idle.append(queue)
            guard job.isLarge, !job.cancellation.isCancelled else { return }
            let seconds = elapsed / .seconds(1) / Double(job.cost)
            state.secondsPerCost += 0.2 * (seconds - state.secondsPerCost)
        }
        schedule()
    }
}
