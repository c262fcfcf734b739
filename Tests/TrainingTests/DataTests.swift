import Codecs
import Foundation
import Imaging
import TestSupport
import Testing
import Training

@Suite struct DataTests {
    /// An .npz of two grey 2x3 training images and labels, written by NumPy: stored, and deflated.
    static let archives = ["stored.npz", "deflated.npz"]

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Data")

    @Test("A MedMNIST file gives its images and labels, stored or deflated", arguments: archives)
    func medMNIST(_ name: String) throws {
        let data = try DataSet.load(path: Self.folder.appendingPathComponent(name).path).data
        let train = try #require(data.splits[.train])
        #expect(train.map(\.label) == ["0", "1"])
        #expect(train[0].image.height == 2 && train[0].image.width == 3)
        let samples: [Float] = train.flatMap { $0.image.samples }
        let expected = (0..<12).map { (index: Int) -> Float in Float(index * 20) / 255 }
        #expect(samples == expected)
        let test = try #require(data.splits[.test])
        #expect(test[0].image.channels == 3 && test[0].label == "1")
        #expect(data.labels == ["0", "1"])
        #expect(throws: DataError.self) { try data.requireLabel("2") }
    }

    @Test("A .npz changed or cut anywhere is read or refused, never more", arguments: archives)
    func hostile(_ name: String) async throws {
        let whole = try Array(Data(contentsOf: Self.folder.appendingPathComponent(name)))
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("x.npz")
            func load(_ bytes: [UInt8]) throws -> DataSet? {
                try Data(bytes).write(to: place)
                return try? DataSet.load(path: place.path).data
            }
            for length in stride(from: 0, to: whole.count, by: 7) {
                #expect(try load(Array(whole[..<length])) == nil, "cut at \(length)")
            }
            var generator = SystemRandomNumberGenerator()
            for _ in 0..<300 {
                var bytes = whole
                for _ in 0..<3 {
                    bytes[Int.random(in: bytes.indices, using: &generator)] = .random(
                        in: .min ... .max,
                        using: &generator
                    )
                }
                _ = try load(bytes)
            }
        }
    }

    @Test("A folder tree gives its images by split and label, a broken file is named")
    func imageFolder() async throws {
        try await withTemporaryFolder { folder in
            let counts = Phantom.Counts(train: 3, validation: 1, test: 2)
            try Phantom(side: 16).writeDataSet(to: folder.path, counts, seed: 1)
            let data = try DataSet.load(path: folder.path).data
            #expect(data.splits[.train]?.map(\.label) == ["normal", "normal", "normal"])
            #expect(data.splits[.validation]?.map(\.label) == ["lesion", "normal"])
            #expect(data.splits[.test]?.map(\.label) == ["lesion", "lesion", "normal", "normal"])
            let prepared = data.prepared(.test, channels: 3, height: 8, width: 10)
            #expect(prepared.allSatisfy { $0.image.height == 8 && $0.image.width == 10 && $0.image.channels == 3 })
            try Data("no image".utf8).write(to: folder.appendingPathComponent("test/lesion/broken.png"))
            do {
                _ = try DataSet.load(path: folder.path)
                Issue.record("a broken file was read")
            } catch {
                #expect("\(error)".contains("test/lesion/broken.png"))
            }
        }
    }

    @Test("What holds no data set is an error", arguments: ["", "nothing"])
    func noData(_ name: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent(name).path
            _ = #expect(throws: DataError.self) { try DataSet.load(path: path) }
        }
    }

    @Test("Phantoms come from their seed; a lesion changes little")
    func phantoms() {
        func image(_ seed: UInt64, lesion: Bool) -> Image {
            var generator = SeededGenerator(seed)
            return Phantom(side: 32).image(withLesion: lesion, using: &generator)
        }
        #expect(image(1, lesion: false) == image(1, lesion: false))
        #expect(image(1, lesion: false) != image(2, lesion: false))
        let changes = zip(image(1, lesion: false).samples, image(1, lesion: true).samples).map { abs($0 - $1) }
        #expect((changes.max() ?? 0) > 0.1 && changes.count { $0 > 0.05 } < 80)
    }

    @Test("The split by seed keeps training and calibration apart")
    func split() throws {
        let images = (0..<20).map { Image(height: 8, width: 8, channels: 1, filledWith: Float($0) / 20) }
        let split = try TrainingSplit(images, calibrationShare: 0.25, seed: 1)
        #expect(split.calibration.count == 5 && split.training.count == 15)
        #expect(Set(split.training + split.calibration) == Set(images))
        #expect(try TrainingSplit(images, calibrationShare: 0.25, seed: 1).training == split.training)
        #expect(try TrainingSplit(images, calibrationShare: 0.25, seed: 2).training != split.training)
        #expect(throws: DataError.self) { try TrainingSplit([images[0]], calibrationShare: 0.5, seed: 1) }
    }
}

/// Numbers from a seed, for tests that do not care which.
private struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }
    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ (state >> 29)
    }
}
