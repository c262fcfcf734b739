import DequeModule

/// Which instances are worked on, in which order, and up to where everything is done; a value without input or output.
///
/// Instances are admitted in the order of the changes and completed in any order. The ``position`` is that of the last
/// change before which everything is complete, so it never goes back and never skips an instance.
public struct Scheduler: Sendable {
    /// An instance to work on.
    public struct Job: Sendable, Hashable {
        /// Identifies the job.
        public let number: Int
        /// The instance.
        public let instance: String
        /// Whether it was a dead letter, which has no position.
        public let isRequeued: Bool
        /// The failed attempts so far.
        public var attempts = 0
    }

    /// The limits of attempts and pauses.
    public struct Policy: Sendable {
        /// The attempts of an instance, after which it becomes a dead letter.
        public var attempts = 8
        /// The first pause after a failure in seconds; each further one is twice as long, up to the longest.
        public var firstPause = 2.0, longestPause = 300.0
        /// The number of instances that can be open: waiting, running, or complete before others.
        public var window = 4096

        /// The defaults.
        public init() {}
    }

    private let policy: Policy
    /// The admitted changes that are not all complete, in order.
    private var open: Deque<(number: Int, position: Int, isComplete: Bool)> = []
    private var ready: Deque<Job> = []
    private var delayed: [(due: Double, job: Job)] = []
    private var running: Set<String> = []
    /// Jobs whose instance is running.
    private var blocked: [String: [Job]] = [:]
    private var nextNumber = 0
    private var requeued = 0
    private var pausedUntil = -Double.infinity
    private var pause = 0.0
    /// The position up to which changes were admitted.
    public private(set) var admitted: Int
    /// The position up to which everything is complete.
    public private(set) var position: Int

    /// Creates a scheduler that continues after `position`.
    public init(position: Int, policy: Policy = Policy()) {
        (admitted, self.position, self.policy) = (position, position, policy)
    }

    /// How many more changes can be admitted.
    public var room: Int { max(0, policy.window - open.count - requeued) }
    /// The number of jobs that are not complete.
    public var waiting: Int { ready.count + delayed.count + blocked.values.reduce(0) { $0 + $1.count } + running.count }
    /// Whether nothing is open.
    public var isIdle: Bool { waiting == 0 }

    /// Admits a change with a number above all earlier ones; a change that is not a new instance is complete.
    public mutating func admit(_ instance: String?, position: Int) {
        precondition(position >= admitted, "changes out of order")
        admitted = position
        guard let instance else {
            if let last = open.indices.last {
                // Joins the change before it.
                open[last].position = position
            } else {
                self.position = position
            }
            return
        }
        nextNumber += 1
        open.append((nextNumber, position, false))
        ready.append(Job(number: nextNumber, instance: instance, isRequeued: false))
    }

    /// Admits a dead letter that is tried again.
    public mutating func requeue(_ instance: String) {
        nextNumber += 1
        requeued += 1
        ready.append(Job(number: nextNumber, instance: instance, isRequeued: true))
    }

    /// Takes the next job that can start at the time `now`, in seconds on a clock that only advances.
    public mutating func next(now: Double) -> Job? {
        guard now >= pausedUntil else { return nil }
        if let place = delayed.firstIndex(where: { $0.due <= now }) {
            ready.prepend(delayed.remove(at: place).job)
        }
        while let job = ready.popFirst() {
            // Two changes of one instance are not worked on at the same time.
            guard running.insert(job.instance).inserted else {
                blocked[job.instance, default: []].append(job)
                continue
            }
            return job
        }
        return nil
    }

    /// The time at which ``next(now:)`` may return a job if it does not now; nil if only after another event.
    public func nextTime(now: Double) -> Double? {
        if !ready.isEmpty { return max(now, pausedUntil) }
        return delayed.map(\.due).min().map { max($0, pausedUntil) }
    }

    /// What follows from a failure.
    public enum Decision: Sendable, Equatable {
        /// The job is tried again.
        case retry
        /// It is a dead letter, which must be stored before ``complete(_:)``.
        case giveUp
    }

    /// Records a failure of the instance itself.
    public mutating func fail(_ job: Job, isPermanent: Bool, now: Double) -> Decision {
        var job = job
        job.attempts += 1
        guard !isPermanent, job.attempts < policy.attempts else { return .giveUp }
        let pause = min(policy.longestPause, policy.firstPause * Double(1 << min(job.attempts - 1, 20)))
        release(job.instance)
        delayed.append((now + pause, job))
        return .retry
    }

    /// Records that a service is not available: the job is not to blame, and all wait a little.
    public mutating func postpone(_ job: Job, now: Double) {
        release(job.instance)
        ready.prepend(job)
        // Jobs that ran at the same time fail together; only the first doubles the pause.
        guard now >= pausedUntil else { return }
        pause = min(15, max(0.5, 2 * pause))
        pausedUntil = now + pause
    }

    /// Whether all wait because a service is not available.
    public func isPaused(now: Double) -> Bool { now < pausedUntil }

    /// Records that a job is complete: its result is in the store, or none is wanted.
    public mutating func complete(_ job: Job) {
        release(job.instance)
        pause = 0
        guard !job.isRequeued else {
            requeued -= 1
            return
        }
        // Numbers are ascending.
        guard let place = open.firstPlace(of: job.number) else { preconditionFailure("a job completed twice") }
        open[place].isComplete = true
        while let first = open.first, first.isComplete {
            position = first.position
            open.removeFirst()
        }
    }

    private mutating func release(_ instance: String) {
        running.remove(instance)
        guard let jobs = blocked.removeValue(forKey: instance) else { return }
        for job in jobs.reversed() { ready.prepend(job) }
    }
}

extension Deque<(number: Int, position: Int, isComplete: Bool)> {
    /// The index of the element with a number (binary search).
    fileprivate func firstPlace(of number: Int) -> Int? {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].number < number { low = middle + 1 } else { high = middle }
        }
        return low < endIndex && self[low].number == number ? low : nil
    }
}
