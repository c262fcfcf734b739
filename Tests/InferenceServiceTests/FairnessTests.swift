import DIA
import Foundation
import Imaging
import Engine
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// Scheduling between requests, and dropping work that is late or cancelled.
@Suite struct FairnessTests {
    private let image = Image(height: 32, width: 32, channels: 1, filledWith: 0.3)

    private let metrics = MetricsRegistry()

    /// Waits until the engine has jobs that wait.
    private func waitForQueue() async {
        while metrics.text.contains("dia_queue_depth 0\n") { await Task.yield() }
    }

    private func engine(_ change: (inout Engine.Configuration) -> Void = { _ in }) throws -> (Engine, Model.Information)
    {
        var configuration = Engine.Configuration()
        change(&configuration)
        let engine = try Engine.loaded(configuration, metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("deep-gray").path)]
        }
        return (engine, try #require(engine.models["deep-gray"]))
    }

    /// A job whose result is ignored.
    private func job(_ group: UInt64, _ model: Model.Information, isScore: Bool = false, deadline: Duration? = nil)
        -> Job
    {
        Job(
            group: RequestGroup(number: group),
            model: model,
            work: isScore ? .score(image) { _ in } : .dissolve(image, step: 1) { _ in },
            deadline: deadline.map { .now + $0 }
        )
    }

    @Test("A request with many jobs gets one per round, then waits behind the others")
    func turns() throws {
        let (_, model) = try engine()
        var queue = WorkQueue()
        for group: UInt64 in [1, 1, 1, 1, 1, 2, 3, 3] { queue.append(job(group, model)) }
        #expect(queue.nextBatch { _ in 2 }.map(\.group.number) == [1, 2])
        #expect(queue.nextBatch { _ in 2 }.map(\.group.number) == [3, 1])
        // Places that no other request needs are not left empty.
        #expect(queue.nextBatch { _ in 4 }.map(\.group.number) == [3, 1, 1, 1])
        #expect(queue.count == 0 && queue.nextBatch { _ in 4 }.isEmpty)
    }

    @Test("Work of another kind runs in its own batch when its turn comes")
    func kinds() throws {
        let (_, model) = try engine()
        var queue = WorkQueue()
        queue.append(job(1, model))
        queue.append(job(2, model, isScore: true))
        queue.append(job(3, model))
        queue.append(job(1, model))
        #expect(queue.nextBatch { _ in 2 }.map(\.group.number) == [1, 3])
        #expect(queue.nextBatch { _ in 2 }.map(\.group.number) == [2])
        #expect(queue.nextBatch { _ in 2 }.map(\.group.number) == [1])
    }

    @Test("Late and cancelled work is removed from the queue")
    func leaving() throws {
        let (_, model) = try engine()
        var queue = WorkQueue()
        queue.append(job(1, model, deadline: .seconds(-1)))
        queue.append(job(1, model, deadline: .seconds(-1)))
        queue.append(job(2, model, deadline: .seconds(100)))
        queue.append(job(3, model))
        queue.append(job(4, model))
        #expect(queue.removeExpired(now: .now).map(\.group.number) == [1, 1])
        #expect(
            queue.remove(group: RequestGroup(number: 3)).count == 1
                && queue.remove(group: RequestGroup(number: 3)).isEmpty
        )
        #expect(queue.count == 2 && queue.nextBatch { _ in 9 }.map(\.group.number) == [2, 4])
    }

    @Test("Work cancelled while it waits never runs")
    func cancelled() async throws {
        let (engine, model) = try engine {
            $0.maximumBatch = 1
            $0.queueCapacity = 5000
        }
        let large = Task { try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 4000)) }
        await waitForQueue()
        let waiting = Task { () throws(EngineError) in
            try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 50))
        }
        large.cancel()
        waiting.cancel()
        let start = ContinuousClock.now
        await #expect(throws: EngineError.cancelled) { try await waiting.value }
        await #expect(throws: EngineError.cancelled) { try await large.value }
        // The queue is empty again: the next job does not wait for 4050 others.
        let next = try await engine.score(image, model: model)
        #expect(next.queued < .now - start + .seconds(1) && next.value.normality.isFinite)
        // A call from a task that is already cancelled returns too.
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await engine.score(image, model: model)
        }
        _ = await late.result
    }

    @Test("Work that cannot meet its deadline is rejected at once, or dropped once the deadline has passed")
    func deadlines() async throws {
        let (engine, model) = try engine {
            $0.maximumBatch = 1
            $0.queueCapacity = 5000
        }
        // The engine learns how long a step takes.
        let taken = try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 20))
            .executionTime
        async let large = engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 400))
        await waitForQueue()
        await #expect {
            try await engine.dissolve(image, model: model, steps: [1], deadline: .now + taken)
        } throws: { error in
            guard case .busy(let seconds) = error as? EngineError else { return false }
            return seconds >= 1
        }
        await #expect(throws: EngineError.self) {
            try await engine.dissolve(image, model: model, steps: [1], deadline: .now - .seconds(1))
        }
        #expect(try await large.value.count == 400)
    }
}
