package import DIA
import DequeModule
package import Imaging

/// The images of one request, which take turns with those of others.
public struct RequestGroup: Sendable, Hashable {
    package let number: UInt64

    /// The group with a number of its own.
    package init(number: UInt64) { self.number = number }
}

/// One image's worth of work for the engine.
package struct Job: Sendable {
    /// What is told of a piece of work when it is done.
    package typealias Completion<Value> = @Sendable (Result<Timed<Value>, EngineError>) -> Void

    /// What is to be done.
    package enum Work: Sendable {
        case score(Image, Completion<ScoreBank.Result>)
        case dissolve(Image, step: Int, Completion<Image>)
        case verify(Completion<GoldenSet.Outcome?>)
    }

    /// The kinds of work, as metrics name them.
    package enum Kind: String, CaseIterable, Sendable {
        case score, dissolve, verify
    }

    /// The request that the work is for.
    package let group: RequestGroup
    let model: Model.Information
    let work: Work
    let arrived: ContinuousClock.Instant
    /// When nobody will want the result any more; one for all work of a request.
    let deadline: ContinuousClock.Instant?

    /// Work for the request `group` that has arrived now.
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
        case .verify: .verify
        }
    }

    /// Whether both may run in one batch.
    func joins(_ other: Job) -> Bool { model.digest == other.model.digest && kind == other.kind }

    func fail(_ error: EngineError) {
        switch work {
        case .score(_, let done): done(.failure(error))
        case .dissolve(_, _, let done): done(.failure(error))
        case .verify(let done): done(.failure(error))
        }
    }
}

/// A result with the time that it waited and the time that its batch took.
public struct Timed<Value: Sendable>: Sendable {
    /// The result.
    public let value: Value
    /// The time in the queue.
    public let queued: Duration
    /// The time that its batch took.
    public let executionTime: Duration
}

/// What waits for the engine, in turns: each request gives one piece of work a round, so that one with many does not
/// keep the others waiting.
package struct WorkQueue {
    private var groups: [RequestGroup: Deque<Job>] = [:]
    /// The requests in the order of their turns.
    private var order: Deque<RequestGroup> = []
    private(set) var countByKind: [Job.Kind: Int] = [:]

    /// An empty queue.
    package init() {}

    /// Pieces of work that wait.
    package var count: Int { countByKind.values.reduce(0, +) }

    /// Puts `job` behind those of its request, or its request behind the others.
    package mutating func append(_ job: Job) {
        if groups[job.group] == nil { order.append(job.group) }
        groups[job.group, default: []].append(job)
        countByKind[job.kind, default: 0] += 1
    }

    /// Takes out what still waits of a request.
    package mutating func remove(group: RequestGroup) -> [Job] {
        let jobs = Array(groups[group] ?? [])
        return jobs.compactMap { _ in takeFirst(of: group) }
    }

    /// Takes out what is too late to be done.
    package mutating func removeLate(now: ContinuousClock.Instant) -> [Job] {
        let late = groups.values.compactMap(\.first).filter { job in job.deadline.map { $0 <= now } ?? false }
        return late.flatMap { remove(group: $0.group) }
    }

    /// Takes the work whose turn it is, and what can run with it, up to a limit that depends on it.
    package mutating func nextBatch(limit: (Job) -> Int) -> [Job] {
        guard let first = order.first.flatMap({ groups[$0]?.first }) else { return [] }
        let limit = limit(first)
        var batch: [Job] = []
        var round = Array(order)
        while batch.count < limit, !round.isEmpty {
            var next: [RequestGroup] = []
            for group in round where batch.count < limit {
                guard let job = groups[group]?.first, job.joins(first), let job = takeFirst(of: group) else { continue }
                batch.append(job)
                next.append(group)
            }
            round = next
        }
        // Whoever had a turn waits for the next one behind the others.
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
