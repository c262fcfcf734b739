package import DIA
import DequeModule
package import Imaging

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
    package let flow: UInt64
    let model: Model.Information
    let work: Work
    let arrived: ContinuousClock.Instant
    /// When nobody will want the result any more; one for all work of a request.
    let deadline: ContinuousClock.Instant?

    /// Work for the request `flow` that has arrived now.
    package init(flow: UInt64, model: Model.Information, work: Work, deadline: ContinuousClock.Instant?) {
        self.flow = flow
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
    /// The time in the engine.
    public let ran: Duration
}

/// What waits for the engine, in turns: each request gives one piece of work a round, so that one with many does not
/// keep the others waiting.
package struct WorkQueue {
    private var flows: [UInt64: Deque<Job>] = [:]
    /// The requests in the order of their turns.
    private var order: Deque<UInt64> = []
    private(set) var countByKind: [Job.Kind: Int] = [:]

    /// An empty queue.
    package init() {}

    /// Pieces of work that wait.
    package var count: Int { countByKind.values.reduce(0, +) }

    /// Puts `job` behind those of its request, or its request behind the others.
    package mutating func append(_ job: Job) {
        if flows[job.flow] == nil { order.append(job.flow) }
        flows[job.flow, default: []].append(job)
        countByKind[job.kind, default: 0] += 1
    }

    /// Takes out what still waits of a request.
    package mutating func remove(flow: UInt64) -> [Job] {
        let jobs = Array(flows[flow] ?? [])
        return jobs.compactMap { _ in takeFirst(of: flow) }
    }

    /// Takes out what is too late to be done.
    package mutating func removeLate(now: ContinuousClock.Instant) -> [Job] {
        let late = flows.values.compactMap(\.first).filter { job in job.deadline.map { $0 <= now } ?? false }
        return late.flatMap { remove(flow: $0.flow) }
    }

    /// Takes the work whose turn it is, and what can run with it, up to a limit that depends on it.
    package mutating func nextBatch(limit: (Job) -> Int) -> [Job] {
        guard let first = order.first.flatMap({ flows[$0]?.first }) else { return [] }
        let limit = limit(first)
        var batch: [Job] = []
        var round = Array(order)
        while batch.count < limit, !round.isEmpty {
            var next: [UInt64] = []
            for flow in round where batch.count < limit {
                guard let job = flows[flow]?.first, job.joins(first), let job = takeFirst(of: flow) else { continue }
                batch.append(job)
                next.append(flow)
            }
            round = next
        }
        // Whoever had a turn waits for the next one behind the others.
        let served = Set(batch.map(\.flow))
        order = Deque(order.filter { !served.contains($0) } + order.filter(served.contains))
        return batch
    }

    private mutating func takeFirst(of flow: UInt64) -> Job? {
        guard let job = flows[flow]?.popFirst() else { return nil }
        countByKind[job.kind, default: 1] -= 1
        if flows[flow]?.isEmpty == true {
            flows[flow] = nil
            order.removeAll { $0 == flow }
        }
        return job
    }
}
