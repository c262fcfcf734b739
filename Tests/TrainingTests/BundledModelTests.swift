import DIA
import Foundation
import Imaging
import ModelFile
import Neural
import Testing
import Training

/// Checks that the bundled models match their documentation.
@Suite struct BundledModelTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
        "../.."
    )

    private func model(_ name: String) throws -> Model {
        let folder = Self.root.appendingPathComponent("Models/\(name)").path
        return try Model(ModelDirectory(path: folder), workers: ThreadPool(count: 2))
    }

    /// Phantoms from a seed that was not used in training.
    private func phantoms(_ count: Int, lesion: Bool) -> [Image] {
        var generator = SplitMix64(seed: lesion ? 977 : 976)
        return (0..<count).map { _ in Phantom(side: 128).image(withLesion: lesion, using: &generator) }
    }

    @Test(
        "A bundled model loads, is calibrated, and comes with its card, recipe and report",
        arguments: ["phantom", "chest", "pneumonia", "breast"]
    )
    func complete(_ name: String) throws {
        let information = try model(name).information
        #expect(information.manifest.name == name)
        #expect(information.calibration?.threshold != nil)
        #expect(information.manifest.evaluation != nil && information.manifest.training != nil)
        for file in ["MODEL.md", "recipe.json", "report.json"] {
            let path = Self.root.appendingPathComponent("Models/\(name)/\(file)").path
            #expect(FileManager.default.fileExists(atPath: path), "\(file)")
        }
    }

    @Test(
        "A bundled model reproduces its golden set on this machine",
        arguments: ["phantom", "chest", "pneumonia", "breast"]
    )
    func golden(_ name: String) throws {
        let outcome = try #require(try model(name).verify())
        #expect(outcome.passed, "\(outcome)")
    }

    @Test("Dissolving removes more detail the larger t is", arguments: ["phantom", "chest", "pneumonia", "breast"])
    func dissolving(_ name: String) throws {
        let model = try model(name)
        for image in phantoms(4, lesion: true) {
            let input = model.information.prepare(image)
            let dissolved = model.dissolve(Array(repeating: input, count: 4), at: [50, 100, 200, 400])
            let changes = dissolved.map { copy in
                zip(copy.samples, input.samples).reduce(Float(0)) { $0 + abs($1.0 - $1.1) }
            }
            #expect(changes[0] > 0)
            #expect(zip(changes, changes.dropFirst()).allSatisfy { $0 < $1 }, "\(changes)")
        }
    }

    @Test("The phantom model finds lesions in unseen phantoms")
    func findsLesions() throws {
        let model = try model("phantom")
        let normal = model.score(phantoms(60, lesion: false)).map { -$0.normality }
        let anomalous = model.score(phantoms(60, lesion: true)).map { -$0.normality }
        // Below the figure in the model card, whose interval allows for the smaller sample here.
        #expect(DetectionMetrics(normal: normal, anomalous: anomalous).auroc > 0.95)
    }
}
