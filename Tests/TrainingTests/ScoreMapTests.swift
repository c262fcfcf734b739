import DIA
import Foundation
import Imaging
import ModelFile
import Neural
import TestSupport
import Testing
import Training

/// Maps of where a score comes from.
@Suite struct ScoreMapTests {
    /// Trains a small model on phantoms, with one view of each shift and the encoder at half the size of the input.
    private func withModel(_ body: (Model, Safetensors, [Image]) throws -> Void) async throws {
        let recipe = try Recipe.parse(
            text: """
                {"name": "tiny", "input": {"channels": 1, "height": 32, "width": 32},
                 "diffusion": {"dim": 8, "dim_mults": [1, 2], "resolution": 16, "fit": "resize", "batch": 2, "steps": 2},
                 "encoder": {"width": 4, "projection": 8, "resolution": 16, "equalize": true, "batch": 2, "steps": 2},
                 "score": {"parts": ["density.2", "change.3.200", "neighbors.1"], "views": 1, "alpha": 0.2}}
                """
        )
        try await withTemporaryFolder { folder in
            let data = folder.appendingPathComponent("data").path
            try Phantom(side: 32).writeDataSet(to: data, .init(train: 40, validation: 0, test: 3), seed: 3)
            let place = folder.appendingPathComponent("m").path
            let workers = ThreadPool(count: 1)
            let set = try DataSet.load(path: data).data
            let run = try Pipeline(recipe, data: set, normal: "normal", folder: place, workers: workers).run()
            // Phantoms have masks.
            let pixels = try #require(run?.pixelAUROC)
            #expect(Set(pixels.keys) == ["dissolve", "score"] && pixels.values.allSatisfy { (0...1).contains($0) })
            let bank = try Data(contentsOf: URL(fileURLWithPath: "\(place)/bank.safetensors"))
            try body(
                Model(ModelDirectory(path: place), workers: workers),
                Safetensors(parsing: Array(bank), file: "bank"),
                set.prepared(.test, channels: 1, height: 32, width: 32).map(\.image)
            )
        }
    }

    @Test("A map divides the squared distance of the densities, relative to the typical one, among the positions")
    func exact() async throws {
        try await withModel { model, bank, images in
            let (means, deviations) = (
                try bank.floats("standard.mean", shape: [3]), try bank.floats("standard.deviation", shape: [3])
            )
            #expect(model.information.hasScoreMap && means.allSatisfy(\.isFinite))
            for image in images {
                let parts = model.score([image])[0].parts
                // A part is -1/2 log of the squared distance, standardized by the mean over the training images.
                let ratios = (0..<2).map { exp(-2 * parts[$0] * Double(deviations[$0])) }
                let map = try #require(model.scoreMap(image))
                #expect((map.height, map.width, map.channels) == (32, 32, 1))
                let mean = map.samples.reduce(0) { $0 + Double($1) } / Double(map.samples.count)
                let expected = (ratios[0] + ratios[1]) / 2
                #expect(abs(mean - expected) < 0.01 * expected, "\(mean) \(expected)")
            }
        }
    }

    @Test("A bright square that no training image has is where the map is highest")
    func place() async throws {
        try await withModel { model, _, images in
            var image = images[0]
            for row in 18..<24 { for column in 6..<12 { image[row, column] = 1 } }
            let map = try #require(model.scoreMap(image))
            func mean(_ rows: Range<Int>, _ columns: Range<Int>) -> Float {
                rows.reduce(0) { sum, row in columns.reduce(sum) { $0 + map[row, $1] } }
                    / Float(rows.count * columns.count)
            }
            #expect(mean(18..<24, 6..<12) > 2 * mean(0..<32, 0..<32))
        }
    }
}
