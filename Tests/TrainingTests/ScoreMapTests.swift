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
    private func withModel(
        parts: String = #"["density.2", "change.3.200", "neighbors.1"]"#,
        maps: Set<String> = ["dissolve", "score"],
        _ body: (Model, [Image]) throws -> Void
    ) async throws {
        let recipe = try Recipe.parse(
            text: """
                {"name": "tiny", "input": {"channels": 1, "height": 32, "width": 32},
                 "diffusion": {"dim": 8, "dim_mults": [1, 2], "resolution": 16, "fit": "resize", "batch": 2, "steps": 2},
                 "encoder": {"width": 4, "projection": 8, "resolution": 16, "equalize": true, "batch": 2, "steps": 2},
                 "score": {"parts": \(parts), "views": 1, "alpha": 0.2}}
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
            #expect(Set(pixels.keys) == maps && pixels.values.allSatisfy { (0...1).contains($0) })
            try body(
                Model(ModelDirectory(path: place), workers: workers),
                set.prepared(.test, channels: 1, height: 32, width: 32).map(\.image)
            )
        }
    }

    @Test("A map divides the anomaly of the densities among the positions")
    func exact() async throws {
        try await withModel { model, images in
            #expect(model.information.hasScoreMap)
            for image in images {
                let parts = model.score([image])[0].parts
                let map = try #require(model.scoreMap(image))
                #expect((map.height, map.width, map.channels) == (32, 32, 1))
                let expected = (max(-parts[0], 0) + max(-parts[1], 0)) / 3
                #expect(abs(mean(map) - expected) < 0.01 * max(expected, 0.01), "\(mean(map)) \(expected)")
            }
        }
    }

    private func mean(_ map: Image) -> Double {
        map.samples.reduce(0) { $0 + Double($1) } / Double(map.samples.count)
    }

    @Test("A bright square that no training image has is where the map is highest")
    func place() async throws {
        try await withModel { model, images in
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

    @Test("The map of a peak is where the image changes more than typical images do, and empty for these")
    func peak() async throws {
        try await withModel(parts: #"["peak.200"]"#) { model, images in
            #expect(model.information.hasScoreMap)
            for image in images {
                var changed = image
                for row in 10..<12 { for column in 20..<22 { changed[row, column] = 1 } }
                for image in [image, changed] {
                    let anomaly = max(-model.score([image])[0].parts[0], 0)
                    let map = try #require(model.scoreMap(image))
                    #expect(abs(mean(map) - anomaly) < 0.01 * max(anomaly, 0.01))
                    #expect(map.samples.allSatisfy { $0 >= 0 })
                }
            }
        }
    }

    @Test("A score of pooled parts has no map")
    func none() async throws {
        try await withModel(parts: #"["neighbors.1", "residual.20"]"#, maps: ["dissolve"]) { model, images in
            #expect(!model.information.hasScoreMap && model.scoreMap(images[0]) == nil)
        }
    }
}
