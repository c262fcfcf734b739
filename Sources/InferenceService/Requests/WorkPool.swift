import Dispatch
package import HTTP
import Synchronization

/// Bounded thread pool for image and body processing: decoding, decompression, parsing, encoding.
///
/// A job starts when a thread is free and its memory fits the budget. Cheap jobs run first: an expensive job is
/// scheduled as if it had arrived later, so that a small image does not wait behind many large ones. If there is more
/// than one thread, one is never used for large jobs. The pool has its own threads: neither the connections' queue
/// nor Swift tasks block on them.
package final class WorkPool: Sendable {
    /// Why a job was not run.
    package enum Rejection: Error, Equatable {
        /// The jobs ahead would take longer than the job's deadline allows.
        case busy(retryAfter: Int)
        /// The job's deadline passed before it started.
        case late
        /// The job was cancelled: the result is no longer needed.
        case cancelled
    }

    /// Context of a running job.
    package struct Context: Sendable {
        fileprivate let cancellation: Cancellation
        /// Memory reserved for the job; its result may keep the reservation.
        package let memory: MemoryBudget.Reservation

        /// Whether the job was cancelled; jobs must check it periodically.
        package var isCancelled: Bool { cancellation.isCancelled }
    }

    /// Cancellation state of a job.
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
        let reject: @Sendable (Rejection) -> Void

        var isLarge: Bool { cost > WorkPool.largeCost }
    }

    private struct State {
        var lastNumber: UInt64 = 0
        var waiting: [Job] = []
        /// Idle queues; a queue uses a thread while it runs a job.
        var idle: [DispatchQueue]
        /// Cost of each running job.
        var running: [UInt64: Int] = [:]
        /// Moving average of the seconds per unit of cost.
        var secondsPerCost = 2e-8
    }

    /// Jobs above this cost may not occupy all threads.
    private static let largeCost = 2_000_000
    /// Seconds of delay per unit of cost, which puts jobs behind cheaper later ones: one second for five million
    /// pixels.
    private static let penalty = 2e-7

    private let threads: Int
    private let budget: MemoryBudget.Part
    private let state: Mutex<State>

    /// Creates a pool of `threads` threads whose jobs reserve memory of `budget`.
    package init(threads: Int, budget: MemoryBudget.Part) {
        self.threads = threads
        self.budget = budget
        state = Mutex(State(idle: (0..<threads).map { DispatchQueue(label: "dia.work.\($0)") }))
        budget.onRelease { [weak self] in self?.schedule() }
    }

    /// Number of waiting jobs.
    package var waiting: Int { state.withLock { $0.waiting.count } }

    /// Runs `work` on a thread of the pool and returns its result.
    ///
    /// `cost` is the estimated duration of the work, in pixels to decode; `bytes` is the maximum memory that it needs.
    /// Throws a ``Rejection`` if the job is not run.
    package func run<Value: Sendable>(
        cost: Int,
        bytes: Int,
        deadline: ContinuousClock.Instant? = nil,
        _ work: @escaping @Sendable (Context) -> Value
    ) async throws(Rejection) -> Value {
        let cancellation = Cancellation(deadline)
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let outcome: Result<Value, Rejection> = await withTaskCancellationHandler {
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
                // The cancellation handler may have run before the job was queued.
                if Task.isCancelled { cancel(number) }
            }
        } onCancel: {
            cancellation.cancel()
            cancel(number)
        }
        return try outcome.get()
    }

    private func submit(_ job: Job) {
        let rejection: Rejection? = state.withLock { state in
            let place = state.waiting.firstIndex { $0.priority > job.priority } ?? state.waiting.endIndex
            let ahead = state.waiting[..<place].reduce(0) { $0 + $1.cost }
            let seconds = Double(ahead) * state.secondsPerCost / Double(threads)
            if let deadline = job.cancellation.deadline, .now + .seconds(seconds) > deadline {
                return .busy(retryAfter: max(1, Int(min(seconds, 3600).rounded(.up))))
            }
            state.waiting.insert(job, at: place)
            return nil
        }
        if let rejection { job.reject(rejection) } else { schedule() }
    }

    /// Cancels a waiting job; a running job is notified by its ``Context``.
    private func cancel(_ number: UInt64) {
        let job = state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        job?.reject(.cancelled)
    }

    /// Starts all jobs that can start.
    private func schedule() {
        while let (job, memory, queue) = takeNext() {
            queue.async { [self] in
                let start = ContinuousClock.now
                job.run(Context(cancellation: job.cancellation, memory: memory))
                finish(job, on: queue, took: .now - start)
            }
        }
        let late = state.withLock { state in
            // Evaluated once per job: a deadline may pass between two evaluations.
            let (late, others) = state.waiting.reduce(into: ([Job](), [Job]())) { parts, job in
                if job.cancellation.isCancelled { parts.0.append(job) } else { parts.1.append(job) }
            }
            state.waiting = others
            return late
        }
        for job in late { job.reject(.late) }
    }

    /// Returns the next job that can start, with its memory and a queue to run it on; nil if there is none.
    private func takeNext() -> (Job, MemoryBudget.Reservation, DispatchQueue)? {
        state.withLock { state in
            guard !state.idle.isEmpty else { return nil }
            let large = state.running.values.count { $0 > Self.largeCost }
            let mayBeLarge = large < max(1, threads - 1)
            var isMemoryAwaited = false
            for (place, job) in state.waiting.enumerated() where mayBeLarge || !job.isLarge {
                if job.cancellation.isCancelled { continue }
                // A job that waits for memory is only overtaken by jobs that need little memory; otherwise it might
                // never run.
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
