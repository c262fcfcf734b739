import Codecs
import Foundation
import Imaging
import TestSupport
import Testing
import Training

@Suite struct InspectionTests {
    /// Writes an image of 32 x 32 pixels that `seed` determines, with `change` added to all samples.
    private func write(_ name: String, seed: Int, change: Float = 0, channels: Int = 1, in folder: URL) throws {
        var image = Image(height: 32, width: 32, channels: channels)
        for place in image.samples.indices {
            let pixel = place / channels
            let wave = Float((pixel / 32 * (seed + 3) + pixel % 32 * (2 * seed + 1)) % 97) / 97
            image.samples[place] = 0.1 + 0.6 * wave + 0.02 * Float(seed) + change
        }
        let place = folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(
            at: place.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try Data(PNG.encode(image)).write(to: place)
    }

    @Test("Counts, sizes, colors, duplicates, groups, unreadable files and the floor are reported, as text and as JSON")
    func report() async throws {
        try await withTemporaryFolder { folder in
            for seed in 0..<6 { try write("train/good/p\(seed).png", seed: seed, in: folder) }
            try write("test/good/p0_copy.png", seed: 0, in: folder)
            try write("test/bad/p1_near.png", seed: 1, change: 0.01, in: folder)
            try write("test/bad/p30.png", seed: 30, change: 0.2, in: folder)
            try write("test/good/p9.png", seed: 9, channels: 3, in: folder)
            try Data("x".utf8).write(to: folder.appendingPathComponent("test/good/p10.png"))
            let source = try DataSource(path: folder.path, groups: GroupPattern(#"p\d+"#))
            let report = try Inspection(source, normal: "good", threads: 2)
            #expect(report.counts.map(\.images) == [6, 2, 3])
            #expect(report.unreadable.count == 1 && report.unreadable[0].contains("p10.png"))
            #expect(report.sizes.map(\.value) == ["32 x 32"] && report.sizes.map(\.images) == [10])
            #expect(report.colors.map(\.value) == ["gray", "rgb"] && report.colors.map(\.images) == [9, 1])
            #expect(report.exactDuplicates.pairs == 1 && report.exactDuplicates.acrossSplits == 1)
            #expect(report.exactDuplicates.acrossLabels == 0)
            #expect(report.exactDuplicates.examples == [["train/good/p0.png", "test/good/p0_copy.png"]])
            #expect(report.nearDuplicates.examples == [["train/good/p1.png", "test/bad/p1_near.png"]])
            #expect(report.nearDuplicates.acrossLabels == 1)
            #expect(report.groups?.inSeveralSplits == ["p0", "p1"])
            let floor = try #require(report.floor?["test"])
            #expect((0...1).contains(floor))
            #expect(report.floor?["validation"] == nil)
            #expect(report.text.contains("pairs of exact duplicates: 1, across splits: 1, across labels: 0"))
            let json = try JSONSerialization.jsonObject(with: Data(report.json.utf8)) as? [String: Any]
            #expect((json?["near_duplicates"] as? [String: Any])?["across_labels"] as? Int == 1)
        }
    }

    @Test("The floor is the AUROC of the distance to the normal training images")
    func floor() async throws {
        try await withTemporaryFolder { folder in
            for seed in 0..<6 { try write("train/good/\(seed).png", seed: seed, in: folder) }
            for seed in 0..<4 {
                try write("test/good/\(seed).png", seed: seed, change: 0.004, in: folder)
                try write("test/bad/\(seed).png", seed: seed + 40, change: -0.6, in: folder)
            }
            let source = try DataSource(path: folder.path)
            #expect(try Inspection(source, normal: "good", threads: 1).floor?["test"] == 1)
            #expect(try Inspection(source, normal: "bad", threads: 1).floor?["test"] == nil)
        }
    }

    @Test("An inspection stops when it is interrupted")
    func interrupted() async throws {
        try await withTemporaryFolder { folder in
            try write("train/good/a.png", seed: 1, in: folder)
            let source = try DataSource(path: folder.path)
            #expect(throws: Interrupted.self) {
                try Inspection(source, normal: nil, threads: 1, isInterrupted: { true })
            }
        }
    }
}
