import DIA
import Foundation
import Imaging
import Engine
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// The queue in front of the models.
@Suite struct EngineTests {
    private func engine(_ change: (inout Engine.Configuration) -> Void, _ metrics: MetricsRegistry) throws -> Engine {
        var configuration = Engine.Configuration()
        change(&configuration)
        return try Engine.loaded(configuration, metrics: metrics) {
            [try ModelDirectory(path: ReferenceModels.folder("deep-gray").path)]
        }
    }

    private func model(_ engine: Engine) throws -> Model.Information { try #require(engine.models["deep-gray"]) }

    private let image = Image(height: 32, width: 32, channels: 1, filledWith: 0.3)

    @Test("Concurrent requests are batched")
    func batching() async throws {
        let metrics = MetricsRegistry()
        let engine = try engine({ $0.maximumBatch = 8 }, metrics)
        let model = try model(engine)
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<40 { group.addTask { _ = try? await engine.score(image, model: model) } }
        }
        let text = metrics.text
        let batches = try #require(text.split(separator: "\n").first { $0.hasPrefix("dia_batch_size_count") })
        let count = try #require(batches.split(separator: " ").last.flatMap { Int($0) })
        #expect(text.contains("dia_batch_size_sum 40.0") && count >= 5 && count < 40)
    }

    @Test("A full queue rejects requests at once and says when to retry")
    func full() async throws {
        let engine = try engine({ $0.queueCapacity = 2 }, MetricsRegistry())
        let model = try model(engine)
        let outcomes = await withTaskGroup(of: EngineError?.self) { group in
            for _ in 0..<60 {
                group.addTask {
                    do throws(EngineError) {
                        _ = try await engine.dissolve(image, model: model, steps: Array(repeating: 50, count: 16))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [EngineError?]()) { $0.append($1) }
        }
        let refused = outcomes.compactMap { $0 }
        #expect(!refused.isEmpty && refused.count < 60)
        for error in refused {
            guard case .busy(let seconds) = error else {
                Issue.record("expected a busy error, not \(error)")
                return
            }
            #expect((1...3600).contains(seconds))
        }
    }

    @Test("Each result belongs to its own request in a mixed load")
    func noMixUps() async throws {
        let engine = try engine({ $0.maximumBatch = 5 }, MetricsRegistry())
        let model = try model(engine)
        let images = (0..<6).map { Image(height: 32, width: 32, channels: 1, filledWith: Float($0) / 6) }
        var expected: [Double] = []
        for image in images { expected.append(try await engine.score(image, model: model).value.normality) }
        let alone = expected
        await withTaskGroup(of: Void.self) { group in
            for index in 0..<60 {
                group.addTask {
                    if index % 3 == 0 { _ = try? await engine.dissolve(images[0], model: model, steps: [index]) }
                    let result = try? await engine.score(images[index % 6], model: model)
                    #expect(abs((result?.value.normality ?? .nan) - alone[index % 6]) < 1e-4)
                }
            }
        }
    }
}
