package import DIA
import DequeModule
package import Imaging

/// Group of the images of one request, used to schedule requests in turns.
public struct RequestGroup: Sendable, Hashable {
    package let number: UInt64

    /// Creates a group with a unique number.
    package init(number: UInt64) { self.number = number }
}

/// A job for the engine: work on one image.
package struct Job: Sendable {
    /// Completion handler, called once with the result.
    package typealias Completion<Value> = @Sendable (Result<Timed<Value>, EngineError>) -> Void

    /// The work to do.
    package enum Work: Sendable {
        case score(Image, Completion<ScoreBank.Result>)
        case dissolve(Image, step: Int, Completion<Image>)
        case scoreMap(Image, Completion<Image?>)
        case verify(Completion<GoldenSet.Outcome?>)
    }

    /// Kinds of jobs, with the names used in metrics.
    package enum Kind: String, CaseIterable, Sendable {
        case score, dissolve, verify
        case scoreMap = "score_map"
    }

    /// The request that the job belongs to.
    package let group: RequestGroup
    let model: Model.Information
    let work: Work
    let arrived: ContinuousClock.Instant
    /// When the result is no longer needed; the same for all jobs of a request.
    let deadline: ContinuousClock.Instant?

    /// Creates a job of the request `group` that arrives now.
    package init(group: RequestGroup, model: Model.Information, work: Work, deadline: ContinuousClock.Instant?) {
        self.group = group
        self.model = model
        self.work = work
        self.deadline = deadline
        arrived = .now
    }

    var kind: Kind {
        switch work {
        case .score: .score
        case .dissolve: .dissolve
        case .scoreMap: .scoreMap
        case .verify: .verify
        }
    }

    /// Whether both jobs may run in one batch.
    func canShareBatch(with other: Job) -> Bool { model.digest == other.model.digest && kind == other.kind }

    func fail(_ error: EngineError) {
        switch work {
        case .score(_, let done): done(.failure(error))
        case .dissolve(_, _, let done): done(.failure(error))
        case .scoreMap(_, let done): done(.failure(error))
        case .verify(let done): done(.failure(error))
        }
    }
}

/// A result with its time in the queue and the time of its batch.
public struct Timed<Value: Sendable>: Sendable {
    /// The result.
    public let value: Value
    /// Time in the queue.
    public let queued: Duration
    /// Time to run its batch.
    public let executionTime: Duration
}

/// Queue of waiting jobs, scheduled in turns.
///
/// Each request contributes one job per round, so that a request with many jobs does not block the others.
package struct WorkQueue {
    private var groups: [RequestGroup: Deque<Job>] = [:]
    /// Requests in the order of their turns.
    private var order: Deque<RequestGroup> = []
    private(set) var countByKind: [Job.Kind: Int] = [:]

    /// Creates an empty queue.
    package init() {}

    /// Number of waiting jobs.
    package var count: Int { countByKind.values.reduce(0, +) }

    /// Appends `job` to the jobs of its request; a new request is appended to the other requests.
    package mutating func append(_ job: Job) {
        if groups[job.group] == nil { order.append(job.group) }
        groups[job.group, default: []].append(job)
        countByKind[job.kind, default: 0] += 1
    }

    /// Removes and returns the waiting jobs of a request.
    package mutating func remove(group: RequestGroup) -> [Job] {
        let jobs = Array(groups[group] ?? [])
        return jobs.compactMap { _ in takeFirst(of: group) }
    }

    /// Removes and returns the requests' jobs whose deadline has passed.
    package mutating func removeExpired(now: ContinuousClock.Instant) -> [Job] {
        let expired = groups.values.compactMap(\.first).filter { job in job.deadline.map { $0 <= now } ?? false }
        return expired.flatMap { remove(group: $0.group) }
    }

    /// Removes and returns the next job and the jobs that can run with it, up to a limit that depends on the job.
    package mutating func nextBatch(limit: (Job) -> Int) -> [Job] {
        guard let first = order.first.flatMap({ groups[$0]?.first }) else { return [] }
        let limit = limit(first)
        var batch: [Job] = []
        var round = Array(order)
        while batch.count < limit, !round.isEmpty {
            var next: [RequestGroup] = []
            for group in round where batch.count < limit {
                guard let job = groups[group]?.first, job.canShareBatch(with: first), let job = takeFirst(of: group)
                else { continue }
                batch.append(job)
                next.append(group)
            }
            round = next
        }
        // Requests that had a turn move to the end.
        let served = Set(batch.map(\.group))
        order = Deque(order.filter { !served.contains($0) } + order.filter(served.contains))
        return batch
    }

    private mutating func takeFirst(of group: RequestGroup) -> Job? {
        guard let job = groups[group]?.popFirst() else { return nil }
        countByKind[job.kind, default: 1] -= 1
        if groups[group]?.isEmpty == true {
            groups[group] = nil
            order.removeAll { $0 == group }
        }
        return job
    }
}
