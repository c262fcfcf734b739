import DIA
import Foundation
import Imaging
import InferenceService
import ModelFile
import TestSupport
import Testing

/// Whose turn it is, and what is not worth its turn any more.
@Suite struct FairnessTests {
    private let image = Image(height: 32, width: 32, channels: 1, filledWith: 0.3)

    private func engine(_ change: (inout Engine.Configuration) -> Void = { _ in }) throws -> (Engine, Model.Information)
    {
        var configuration = Engine.Configuration()
        change(&configuration)
        let engine = try Engine(configuration, metrics: ServiceMetrics()) {
            [try ModelDirectory(path: ReferenceModels.folder("deep-gray").path)]
        }
        return (engine, try #require(engine.models["deep-gray"]))
    }

    @Test("A request of many steps does not keep those of one waiting")
    func turns() async throws {
        let (engine, model) = try engine { $0.maximumBatch = 2 }
        let finished = await withTaskGroup(of: String.self) { group in
            for index in 0..<3 {
                group.addTask {
                    guard index > 0 else {
                        let steps = Array(repeating: 100, count: 200)
                        _ = try? await engine.dissolve(image, model: model, steps: steps)
                        return "large"
                    }
                    // Comes when the large one fills the queue.
                    try? await Task.sleep(for: .milliseconds(20 * index))
                    _ = try? await engine.dissolve(image, model: model, steps: [100])
                    return "small"
                }
            }
            return await group.reduce(into: [String]()) { $0.append($1) }
        }
        #expect(finished == ["small", "small", "large"])
    }

    @Test("What is given up while it waits never runs")
    func cancelled() async throws {
        let (engine, model) = try engine { $0.maximumBatch = 1 }
        let large = Task { try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 200)) }
        try await Task.sleep(for: .milliseconds(20))
        let waiting = Task { () throws(EngineError) in
            try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 50))
        }
        large.cancel()
        waiting.cancel()
        let start = ContinuousClock.now
        await #expect(throws: EngineError.abandoned) { try await waiting.value }
        await #expect(throws: EngineError.abandoned) { try await large.value }
        // The queue is empty again: the next piece of work does not wait for 250 others.
        let next = try await engine.score(image, model: model)
        #expect(next.queued < .now - start + .seconds(1) && next.value.normality.isFinite)
        // A task cancelled before it came is given up as well.
        let late = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await engine.score(image, model: model)
        }
        _ = await late.result
    }

    @Test("What cannot be done in time is refused at once, and dropped when its time has passed")
    func deadlines() async throws {
        let (engine, model) = try engine { $0.maximumBatch = 1 }
        // The engine learns what a step takes.
        let taken = try await engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 20)).ran
        async let large = engine.dissolve(image, model: model, steps: Array(repeating: 100, count: 200))
        try await Task.sleep(for: .milliseconds(20))
        await #expect {
            try await engine.dissolve(image, model: model, steps: [1], deadline: .now + taken)
        } throws: { error in
            guard case .busy(let seconds) = error as? EngineError else { return false }
            return seconds >= 1
        }
        await #expect(throws: EngineError.self) {
            try await engine.dissolve(image, model: model, steps: [1], deadline: .now - .seconds(1))
        }
        #expect(try await large.value.count == 200)
    }
}
