import DIA
import Foundation
import Imaging
import ModelFile
import TestSupport
import Testing
import Neural

/// Model directories written by an independent program (Tests/Reference/make_models.py), with the results
/// that this program computes for them.
@Suite struct ReferenceModelTests {
    static let names = ReferenceModels.names

    private func images(_ file: Safetensors, _ name: String) throws -> [Image] {
        let shape = try #require(file.shape(of: name))
        let samples = channelsLast(try file.floats(name), shape)
        let size = shape[1] * shape[2] * shape[3]
        return (0..<shape[0]).map {
            let part = Array(samples[$0 * size..<($0 + 1) * size])
            return Image(height: shape[2], width: shape[3], channels: shape[1], samples: part)
        }
    }

    @Test(
        "A model written by another program loads and gives that program's normality and dissolved pixels",
        arguments: names,
        [1, 2, 3, 8]
    )
    func agrees(_ name: String, threads: Int) throws {
        let folder = ReferenceModels.folder(name).path
        let model = try Model(ModelDirectory(path: folder), workers: ThreadPool(count: threads))
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/expected.safetensors")))
        let expected = try Safetensors(parsing: bytes, file: "expected.safetensors")
        let inputs = try images(expected, "x")
        for (result, normality) in zip(model.score(inputs), try expected.floats("normality")) {
            #expect(abs(result.normality - Double(normality)) < 1e-3)
        }
        let dissolved = model.dissolve(inputs, at: [20, 120, 400])
        for (image, reference) in zip(dissolved, try images(expected, "dissolved")) {
            let largest = zip(image.samples, reference.samples).reduce(0) { max($0, abs($1.0 - $1.1)) }
            #expect(largest < 1.0 / 255)
        }
    }

    @Test("An image's normality does not depend on the rest of the batch", arguments: names)
    func batches(_ name: String) throws {
        let folder = ReferenceModels.folder(name).path
        let model = try Model(ModelDirectory(path: folder), workers: ThreadPool(count: 2))
        let bytes = try Array(Data(contentsOf: URL(fileURLWithPath: "\(folder)/expected.safetensors")))
        let inputs = try images(Safetensors(parsing: bytes, file: name), "x")
        let alone = inputs.map { model.score([$0])[0].normality }
        // More views than one encoder pass takes, so that the views of an image are split.
        let together = model.score((0..<60).map { inputs[$0 % 3] })
        for (index, result) in together.enumerated() {
            #expect(abs(result.normality - alone[index % 3]) < 1e-4)
        }
    }

    @Test("Views are determined by the seed alone")
    func views() {
        let image = Image(height: 8, width: 8, channels: 1, samples: (0..<64).map { Float($0) / 64 })
        func views(_ count: Int, seed: UInt64) -> (family: ViewFamily, samples: [Float]) {
            let family = ViewFamily(shift: .rotation, views: count, cropScale: 0.54, seed: seed)
            var samples: [Float] = []
            family.append(of: image, to: &samples)
            return (family, samples)
        }
        let (family, samples) = views(5, seed: 3)
        #expect(samples.count == family.count * 64 && samples == views(5, seed: 3).samples)
        #expect(samples != views(5, seed: 4).samples)
        #expect(family.crops.allSatisfy { $0.height * $0.width >= 0.54 - 1e-9 })
        let one = views(1, seed: 3).samples
        #expect(one.count == 4 * 64 && Array(one[..<64]) == image.samples)
    }
}
