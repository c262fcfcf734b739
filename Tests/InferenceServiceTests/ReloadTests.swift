import DIA
import Foundation
import Imaging
import Engine
import InferenceService
import Metrics
import ModelFile
import TestSupport
import Testing

/// Replacing models while they are in use.
@Suite struct ReloadTests {
    private let image = Image(height: 28, width: 28, channels: 1, filledWith: 0.3)

    /// Copies the reference model `name` to `place`, renamed to "m", with the version `version`.
    private func install(_ name: String, at place: URL, version: String = "1") throws {
        try? FileManager.default.removeItem(at: place)
        try FileManager.default.copyItem(at: ReferenceModels.folder(name), to: place)
        let manifest = place.appendingPathComponent("model.json")
        let text = try String(contentsOf: manifest, encoding: .utf8)
            .replacing("\"name\": \"\(name)\"", with: "\"name\": \"m\"")
            .replacing("\"version\": \"1\"", with: "\"version\": \"\(version)\"")
        try Data(text.utf8).write(to: manifest)
    }

    /// Runs `body` with an engine for a model "m" in a temporary directory.
    private func withEngine(_ body: (Engine, URL) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("m")
            try install("gray-pad", at: place)
            let engine = try Engine.loaded(Engine.Configuration(), metrics: MetricsRegistry()) {
                [try ModelDirectory(path: place.path)]
            }
            try await body(engine, place)
        }
    }

    @Test("A new model takes over; work prepared for the old model fails and never runs on the new one")
    func replaces() async throws {
        try await withEngine { engine, place in
            let old = try #require(engine.models["m"])
            let before = try await engine.score(image, model: old).value.normality
            // The new model takes another image size, so the old images would not fit.
            try install("deep-gray", at: place)
            #expect(try await engine.reload().loaded == ["m"])
            let new = try #require(engine.models["m"])
            #expect(new.digest != old.digest && new.manifest.input.height == 32)
            await #expect(throws: EngineError.modelReplaced) { try await engine.score(image, model: old) }
            let large = Image(height: 32, width: 32, channels: 1, filledWith: 0.3)
            #expect(try await engine.score(large, model: new).value.normality != before)
        }
    }

    @Test("An unchanged model is not loaded again unless it is named")
    func unchanged() async throws {
        try await withEngine { engine, _ async throws in
            #expect(try await engine.reload().loaded.isEmpty)
            #expect(try await engine.reload("m").loaded == ["m"])
            await #expect(throws: ReloadError.self) { try await engine.reload("other") }
        }
    }

    @Test("An invalid new model leaves the old one serving, and the error says what is wrong")
    func broken() async throws {
        try await withEngine { engine, place in
            let old = try #require(engine.models["m"])
            let before = try await engine.score(image, model: old).value.normality
            try install("gray-pad", at: place, version: "2")
            try Data("junk".utf8).write(to: place.appendingPathComponent("encoder.safetensors"))
            do {
                _ = try await engine.reload()
                Issue.record("a broken model was loaded")
            } catch {
                #expect("\(error)".contains("encoder.safetensors"))
            }
            #expect(engine.models["m"]?.digest == old.digest)
            #expect(try await engine.score(image, model: old).value.normality == before)
        }
    }

    @Test("Under load every result comes from the old or the new model, and none is lost")
    func underLoad() async throws {
        try await withEngine { engine, place in
            let old = try #require(engine.models["m"])
            let expected = try await engine.score(image, model: old).value.normality
            try await withThrowingTaskGroup(of: Void.self) { group in
                for index in 0..<60 {
                    group.addTask {
                        for _ in 0..<5 {
                            let model = try #require(engine.models["m"])
                            do {
                                // The weights are the same in all versions, so every result is known.
                                let normality = try await engine.score(image, model: model).value.normality
                                #expect(abs(normality - expected) < 1e-4)
                                break
                            } catch EngineError.modelReplaced {}
                        }
                        // The directory may be in the middle of being replaced.
                        if index % 15 == 7 { _ = try? await engine.reload("m") }
                    }
                }
                for version in 2..<5 {
                    try install("gray-pad", at: place, version: "\(version)")
                    _ = try? await engine.reload()
                }
                try await group.waitForAll()
            }
            #expect(engine.models["m"]?.manifest.version == "4")
        }
    }
}
