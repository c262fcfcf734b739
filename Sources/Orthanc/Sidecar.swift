import Foundation
public import Logging
import Metrics
import Synchronization

/// Follows a store and has each new instance scored, by threads that share a ``Scheduler``.
///
/// `@unchecked Sendable`: the state is accessed only while `condition` is locked; everything else does not change.
public final class Sidecar: @unchecked Sendable {
    /// How the sidecar works.
    public struct Configuration: Sendable {
        /// The instances that are worked on at the same time.
        public var concurrency = 4
        /// The seconds between two looks for changes if there were none.
        public var pollSeconds = 2.0
        /// Where to begin in a store without a stored position.
        public var catchUp = CatchUp.changes
        /// The limits of attempts.
        public var policy = Scheduler.Policy()

        /// The defaults.
        public init() {}
    }

    /// Where the sidecar begins in a store that it does not know.
    public enum CatchUp: String, Sendable, CaseIterable {
        /// At the first change.
        case changes
        /// With a list of all instances, if the changes were cleared.
        case instances
        /// With the next change.
        case none
    }

    private let store: any InstanceStore
    private let job: InstanceJob
    private let directory: StateDirectory
    private let configuration: Configuration
    private let logger: Logger
    private let metrics: SidecarMetrics
    private let clock: @Sendable () -> Double
    private let condition = NSCondition()
    private var scheduler: Scheduler
    private var position: StateDirectory.Position
    private var isStopping = false
    private var requeued: Set<String> = []
    /// The positions of the list of all instances that belong to positions of the scheduler.
    private var pages: [(scheduled: Int, listed: Int)] = []
    private var recent: Set<String> = []
    private var threads = 0
    private var stored: StateDirectory.Position?

    /// The changes of a request.
    private static let page = 500
    /// The instances of a page of the list that are read again with the next one, because deleted instances move others
    /// forward.
    private static let overlap = 500

    /// Creates a sidecar that continues where the directory says.
    public init(
        store: any InstanceStore,
        job: InstanceJob,
        directory: StateDirectory,
        _ configuration: Configuration,
        metrics: SidecarMetrics,
        logger: Logger,
        clock: (@Sendable () -> Double)? = nil
    ) throws {
        (self.store, self.job, self.directory, self.configuration) = (store, job, directory, configuration)
        (self.metrics, self.logger) = (metrics, logger)
        self.clock = clock ?? { ProcessInfo.processInfo.systemUptime }
        stored = try directory.position()
        position = stored ?? StateDirectory.Position(phase: .changes, change: 0)
        scheduler = Scheduler(position: position.change, policy: configuration.policy)
    }

    /// Ends the run: no more instances are begun, and those that are worked on are finished.
    public func stop() {
        condition.withLock {
            isStopping = true
            condition.broadcast()
        }
    }

    /// Works until ``stop()``.
    ///
    /// Blocks.
    public func run() {
        guard begin() else { return }
        for _ in 0..<configuration.concurrency {
            condition.withLock { threads += 1 }
            Thread.detachNewThread { [self] in
                work()
                condition.withLock {
                    threads -= 1
                    condition.broadcast()
                }
            }
        }
        follow()
        condition.withLock { while threads > 0 { condition.wait() } }
        storePosition()
    }

    /// Determines where to begin, when the store is available; returns false if the run ends before.
    private func begin() -> Bool {
        while true {
            do {
                let last = try store.lastChange()
                let number = last?.sequence ?? 0
                if stored == nil {
                    switch configuration.catchUp {
                    case .changes: position = StateDirectory.Position(phase: .changes, change: 0)
                    case .instances: position = StateDirectory.Position(phase: .instances, change: number)
                    case .none: position = StateDirectory.Position(phase: .changes, change: number)
                    }
                } else if let last, isFromAnotherStore(last, since: position.change) {
                    position = afterReplacement(last)
                }
                enter(position)
                logger.info(
                    "following",
                    metadata: [
                        "phase": "\(position.phase.rawValue)", "change": .stringConvertible(position.change),
                        "last": .stringConvertible(number),
                    ]
                )
                return true
            } catch {
                metrics.isFollowing(false)
                logger.error("cannot read the changes", metadata: ["reason": "\(error)"])
            }
            if wait(seconds: configuration.pollSeconds) { return false }
        }
    }

    /// Starts a phase.
    ///
    /// The scheduler of a list counts the instances of this run.
    private func enter(_ new: StateDirectory.Position) {
        condition.withLock {
            position = new
            scheduler = Scheduler(position: new.phase == .changes ? new.change : 0, policy: configuration.policy)
            pages = []
            recent = []
        }
    }

    /// Waits; returns whether the run ends.
    private func wait(seconds: Double) -> Bool {
        condition.withLock {
            if !isStopping { _ = condition.wait(until: Date(timeIntervalSinceNow: max(0.01, seconds))) }
            return isStopping
        }
    }

    private func follow() {
        var (nextPoll, nextStore, nextRequeue) = (0.0, 0.0, 0.0)
        while true {
            let now = clock()
            if now >= nextPoll {
                let hasMore = read()
                nextPoll = hasMore ? 0 : now + configuration.pollSeconds
            }
            if now >= nextStore {
                storePosition()
                nextStore = now + 0.5
            }
            if now >= nextRequeue {
                takeRequeued()
                nextRequeue = now + 2
            }
            if wait(seconds: nextPoll == 0 ? 0.02 : min(0.5, nextPoll - now)) { return }
        }
    }

    /// Reads the next page if there is room; returns whether there may be more.
    private func read() -> Bool {
        let (phase, room, admitted) = condition.withLock { (position.phase, scheduler.room, scheduler.admitted) }
        // Not a page for each completed instance.
        guard room >= min(Self.page, max(1, configuration.policy.window / 2)) else { return true }
        do {
            let hasMore =
                switch phase {
                case .changes: try readChanges(since: admitted, limit: min(room, Self.page))
                case .instances: try readList()
                }
            metrics.isFollowing(true)
            return hasMore
        } catch {
            metrics.isFollowing(false)
            logger.error("cannot read the changes", metadata: ["reason": "\(error)"])
            return false
        }
    }

    private func readChanges(since: Int, limit: Int) throws -> Bool {
        let page = try store.changes(since: since, limit: limit)
        condition.withLock {
            for change in page.changes {
                scheduler.admit(change.instance, position: change.sequence)
                position.date = max(position.date, change.date)
            }
            condition.broadcast()
        }
        if page.changes.isEmpty { try checkStore(since) }
        return !page.isLast && !page.changes.isEmpty
    }

    /// Begins again if the store is another one, or was restored, when nothing is open.
    private func checkStore(_ since: Int) throws {
        guard let last = try store.lastChange(), isFromAnotherStore(last, since: since),
            condition.withLock({ scheduler.isIdle })
        else { return }
        enter(afterReplacement(last))
    }

    /// Whether a last change that comes before `since` cannot be left over from changes that were read.
    ///
    /// The changes of deleted instances disappear, so the last one may well have a lower number than before. But a change
    /// that is later in time and has a lower number is from a store that began again, or was restored from a backup.
    private func isFromAnotherStore(_ last: ChangePage.Change, since: Int) -> Bool {
        last.sequence < since && last.date > condition.withLock { position.date }
    }

    private func afterReplacement(_ last: ChangePage.Change) -> StateDirectory.Position {
        logger.warning("the store is another one, or was restored: all its instances are looked at")
        return StateDirectory.Position(phase: .instances, change: last.sequence, date: last.date)
    }

    private func readList() throws -> Bool {
        let end = condition.withLock { pages.last?.listed ?? position.listed }
        let start = max(0, end - Self.overlap)
        let instances = try store.instances(from: start, limit: 2 * Self.overlap)
        return condition.withLock {
            let isLast = instances.count < 2 * Self.overlap
            let seen = recent
            for instance in instances where !seen.contains(instance) {
                scheduler.admit(instance, position: scheduler.admitted + 1)
            }
            recent = Set(instances)
            pages.append((scheduler.admitted, max(end, start + instances.count)))
            condition.broadcast()
            guard isLast else { return true }
            // The changes since before the list follow when everything in it is complete.
            if scheduler.isIdle {
                position = StateDirectory.Position(phase: .changes, change: position.change, date: position.date)
                scheduler = Scheduler(position: position.change, policy: configuration.policy)
            }
            return scheduler.isIdle
        }
    }

    /// Stores the position if it has changed.
    private func storePosition() {
        let current = condition.withLock {
            switch position.phase {
            case .changes: position.change = scheduler.position
            case .instances:
                while let first = pages.first, first.scheduled <= scheduler.position {
                    position.listed = first.listed
                    pages.removeFirst()
                }
            }
            metrics.update(scheduler, position.change)
            return position
        }
        guard current != stored else { return metrics.isStoring(true) }
        do {
            try directory.store(current)
            stored = current
            metrics.isStoring(true)
        } catch {
            metrics.isStoring(false)
            logger.error("cannot store the position", metadata: ["reason": "\(error)"])
        }
    }

    private func takeRequeued() {
        guard let instances = try? directory.requeued(limit: 1000) else { return }
        condition.withLock {
            for instance in instances where scheduler.room > 0 && requeued.insert(instance).inserted {
                scheduler.requeue(instance)
            }
            condition.broadcast()
        }
        if let count = try? directory.deadLetterCount() { metrics.deadLetters(count) }
    }

    /// The loop of a thread.
    private func work() {
        while let next = nextJob() {
            let start = clock()
            let outcome = job.run(next.instance)
            finish(next, outcome, seconds: clock() - start)
        }
    }

    private func nextJob() -> Scheduler.Job? {
        condition.lock()
        defer { condition.unlock() }
        while !isStopping {
            let now = clock()
            if let next = scheduler.next(now: now) { return next }
            let seconds = scheduler.nextTime(now: now).map { $0 - now } ?? 60
            _ = condition.wait(until: Date(timeIntervalSinceNow: min(60, max(0.01, seconds))))
        }
        return nil
    }

    private func finish(_ job: Scheduler.Job, _ outcome: InstanceJob.Outcome, seconds: Double) {
        var metadata: Logger.Metadata = [
            "instance": "\(job.instance)", "seconds": .stringConvertible((seconds * 1000).rounded() / 1000),
        ]
        metrics.finished(outcome, seconds: seconds)
        switch outcome {
        case .written: logger.info("scored", metadata: metadata)
        case .alreadyWritten: logger.debug("already scored", metadata: metadata)
        case .gone: logger.info("deleted before it was scored", metadata: metadata)
        case .skipped(let reason):
            metadata["reason"] = "\(reason)"
            logger.info("skipped", metadata: metadata)
        case .unavailable(let reason):
            metadata["reason"] = "\(reason)"
            logger.warning("postponed", metadata: metadata)
            return condition.withLock {
                scheduler.postpone(job, now: clock())
                condition.broadcast()
            }
        case .failed(let reason, let isPermanent):
            metadata["reason"] = "\(reason)"
            metadata["attempt"] = .stringConvertible(job.attempts + 1)
            guard isDead(job, reason, isPermanent: isPermanent, metadata) else { return }
        }
        if job.isRequeued { directory.finishRequeued(job.instance) }
        condition.withLock {
            if job.isRequeued { requeued.remove(job.instance) }
            scheduler.complete(job)
            condition.broadcast()
        }
    }

    /// Records a failure; returns whether the instance is a dead letter, which is then stored.
    private func isDead(
        _ job: Scheduler.Job,
        _ reason: String,
        isPermanent: Bool,
        _ metadata: Logger.Metadata
    ) -> Bool {
        let decision = condition.withLock {
            defer { condition.broadcast() }
            return scheduler.fail(job, isPermanent: isPermanent, now: clock())
        }
        guard decision == .giveUp else {
            logger.warning("failed, will be tried again", metadata: metadata)
            return false
        }
        let letter = StateDirectory.DeadLetter(
            instance: job.instance,
            reason: reason,
            time: ISO8601DateFormatter().string(from: Date()),
            attempts: job.attempts + 1
        )
        do {
            try directory.store(letter)
            logger.error("failed, is a dead letter", metadata: metadata)
            return true
        } catch {
            logger.error("cannot store a dead letter", metadata: ["reason": "\(error)"])
            condition.withLock {
                scheduler.postpone(job, now: clock())
                condition.broadcast()
            }
            return false
        }
    }
}
