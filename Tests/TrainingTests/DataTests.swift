import Codecs
import Foundation
import Imaging
import TestSupport
import Testing
import Training

@Suite struct DataTests {
    /// An .npz of two gray 2x3 training images and labels, written by NumPy: stored, and deflated.
    static let archives = ["stored.npz", "deflated.npz"]

    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Data")

    @Test("A MedMNIST file, stored or deflated, loads with its images and labels", arguments: archives)
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

    @Test("A corrupted or truncated .npz is read or rejected without crashing", arguments: archives)
    func corrupted(_ name: String) async throws {
        let whole = try Array(Data(contentsOf: Self.folder.appendingPathComponent(name)))
        try await withTemporaryFolder { folder in
            let place = folder.appendingPathComponent("x.npz")
            func load(_ bytes: [UInt8]) throws -> DataSet? {
                try Data(bytes).write(to: place)
                return try? DataSet.load(path: place.path).data
            }
            for length in stride(from: 0, to: whole.count, by: 7) {
                #expect(try load(Array(whole[..<length])) == nil, "truncated at \(length)")
            }
            var generator = SeededGenerator(1)
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

    @Test("A folder tree loads as images by split and label")
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
        }
    }

    @Test("A mask in ground_truth shows where the lesion is; a damaged one is an error that names it")
    func masks() async throws {
        try await withTemporaryFolder { folder in
            try Phantom(side: 64).writeDataSet(to: folder.path, .init(train: 1, validation: 1, test: 2), seed: 1)
            let data = try DataSet.load(path: folder.path).data
            for image in data.splits[.test] ?? [] {
                guard image.label == "lesion" else {
                    #expect(image.mask == nil)
                    continue
                }
                let mask = try #require(image.mask)
                let inside = mask.samples.indices.filter { mask.samples[$0] > 0.5 }
                #expect((1...60).contains(inside.count))
                // The lesion is brighter than the lung around it.
                let mean = inside.reduce(0) { $0 + image.image.samples[$1] } / Float(inside.count)
                #expect(mean > 0.3)
            }
            #expect(data.splits[.validation]?.allSatisfy { $0.mask == nil } == true)
            let small = try DataSet.load(
                DataSource(path: folder.path),
                size: ImageSize(channels: 1, height: 32, width: 32)
            )
            #expect(
                small.data.splits[.test]?.compactMap(\.mask).allSatisfy { $0.height == 32 && $0.channels == 1 } == true
            )
            let place = folder.appendingPathComponent("ground_truth/lesion/00001_mask.png")
            try Data("not an image".utf8).write(to: place)
            do {
                _ = try DataSet.load(path: folder.path)
                Issue.record("a damaged mask was read")
            } catch {
                #expect("\(error)".contains("00001_mask.png"))
            }
        }
    }

    @Test("Unreadable files are all named, and are skipped only on request")
    func unreadable() async throws {
        try await withTemporaryFolder { folder in
            try Phantom(side: 16).writeDataSet(to: folder.path, .init(train: 3, validation: 0, test: 2), seed: 1)
            let broken = ["test/lesion/broken.png", "train/normal/cut.png"]
            for name in broken { try Data("not an image".utf8).write(to: folder.appendingPathComponent(name)) }
            do {
                _ = try DataSet.load(path: folder.path)
                Issue.record("broken files were read")
            } catch {
                #expect(broken.allSatisfy { "\(error)".contains($0) } && "\(error)".contains("2 images"))
            }
            let loaded = try DataSet.load(path: folder.path, skippingUnreadable: true)
            #expect(loaded.data.splits[.train]?.count == 3 && loaded.data.splits[.test]?.count == 4)
            #expect(loaded.unreadable.count == 2)
        }
    }

    @Test("MVTec's layout is read: train/good, test/good, test/DEFECT, with mixed sizes, depths and colors")
    func mvtec() async throws {
        try await withTemporaryFolder { folder in
            let pictures: [(String, Image, Int)] = [
                ("train/good/000.png", Image(height: 9, width: 14, channels: 1, filledWith: 0.5), 16),
                ("train/good/001.png", Image(height: 20, width: 8, channels: 3, filledWith: 0.25), 8),
                ("test/good/000.png", Image(height: 5, width: 5, channels: 1, filledWith: 0.5), 8),
                ("test/scratch/000.png", Image(height: 12, width: 12, channels: 3, filledWith: 0.75), 16),
                ("ground_truth/scratch/000_mask.png", Image(height: 12, width: 12, channels: 1), 8),
            ]
            for (path, image, _) in pictures {
                let place = folder.appendingPathComponent(path)
                try FileManager.default.createDirectory(
                    at: place.deletingLastPathComponent(),
                    withIntermediateDirectories: true
                )
                try Data(PNG.encode(image)).write(to: place)
            }
            let data = try DataSet.load(path: folder.path).data
            #expect(data.splits[.train]?.map(\.label) == ["good", "good"])
            #expect(data.splits[.test]?.map(\.label) == ["good", "scratch"])
            let prepared = data.prepared(.train, channels: 1, height: 8, width: 8)
            #expect(prepared.map { ($0.image.samples[20] * 255).rounded() } == [128, 64])
        }
    }

    @Test("A folder without a data set is an error", arguments: ["", "nothing"])
    func noData(_ name: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder.appendingPathComponent(name).path
            _ = #expect(throws: DataError.self) { try DataSet.load(path: path) }
        }
    }

    @Test("Phantoms are determined by their seed; a lesion changes little")
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

    @Test("The seeded split keeps training and calibration images separate")
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
