import Foundation
import Imaging
import TestSupport
import Testing
import Training

/// .npz files written by NumPy (Tests/Reference/make_npz.py).
@Suite struct ArrayTests {
    private static let folder = Bundle.module.bundleURL.appendingPathComponent("Data/Arrays")

    private static func load(_ name: String) throws -> DataSet {
        try DataSet.load(path: folder.appendingPathComponent("\(name).npz").path).data
    }

    @Test(
        "Images of every type and order have the same samples",
        arguments: [
            "fortran", "channel", "float16", "float32", "float64-fortran", "float32-to-255", "uint16",
            "uint16-big-endian",
            "int64", "labels-column",
        ]
    )
    func images(_ name: String) throws {
        let train = try #require(try Self.load(name).splits[.train])
        #expect(train.map(\.label) == ["0", "1"])
        for (index, image) in train.enumerated() {
            let expected = (0..<6).map { Float(index * 120 + $0 * 20) / 255 }
            // Half precision has 11 bits.
            let tolerance: Float = name == "float16" ? 0.0005 : 1e-6
            #expect(image.image.height == 2 && image.image.width == 3 && image.image.channels == 1)
            #expect(zip(image.image.samples, expected).allSatisfy { abs($0 - $1) <= tolerance })
        }
    }

    @Test("Floating-point images are in 0 to 255 if any split of the file has a number above 1")
    func otherSplit() throws {
        let train = try #require(try Self.load("float32-other-split").splits[.train])
        #expect(train[1].image.samples.max() == Float(1) / 255)
    }

    @Test(
        "Labels can be strings, truth values and whole numbers",
        arguments: [
            ("labels-unicode", ["gesund", "krank ä"]), ("labels-bytes", ["gesund", "krank"]),
            ("labels-float", ["0", "1"]), ("labels-bool", ["0", "1"]),
        ]
    )
    func labels(_ name: String, expected: [String]) throws {
        #expect(try Self.load(name).splits[.train]?.map(\.label) == expected)
    }

    @Test(
        "Numbers without a range, and labels that are not one per image, are errors that say what is wrong",
        arguments: [
            ("bad-nan", "train_images: has the number nan; scale the numbers to 0 to 1 or 0 to 255"),
            ("bad-negative", "has the number -0.1"), ("bad-float-range", "scale the numbers to 0 to 1 or 0 to 255"),
            ("bad-int-range", "scale the numbers to 0 to 255 or 0 to 65,535"),
            ("bad-object-labels", "Python objects"), ("bad-label-shape", "one label per image is required"),
            ("bad-fraction-labels", "label 0 is not an integer or a text"),
            ("bad-label-count", "train has 2 images but 3 labels"),
        ]
    )
    func errors(_ name: String, message: String) {
        do {
            _ = try Self.load(name)
            Issue.record("\(name) was accepted")
        } catch {
            #expect("\(error)".contains(message), "\(error)")
        }
    }

    @Test(
        "A flipped bit anywhere in an .npz is an error, or does not change the data",
        arguments: ["stored", "deflated"]
    )
    func flippedBits(_ name: String) throws {
        let path = Bundle.module.bundleURL.appendingPathComponent("Data/\(name).npz")
        let whole = try Array(Data(contentsOf: path))
        func parse(_ bytes: [UInt8]) throws -> [String] {
            let data = try MedMNIST(bytes, path: "x.npz")
            var found = data.labels.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key): \($0.value)" }
            try data.forEachImage(of: [.train, .validation, .test], maximumPixels: 100) { image, _, split, _ in
                found.append("\(split) \(image.samples)")
            }
            return found
        }
        let expected = try parse(whole)
        var accepted = 0
        var changed: [String] = []
        for place in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[place] ^= 1 << bit
                guard let found = try? parse(bytes) else { continue }
                if found == expected { accepted += 1 } else { changed.append("bit \(bit) of byte \(place)") }
            }
        }
        #expect(changed.isEmpty, "\(changed.count) flips change the data, such as \(changed.first ?? "")")
        // In each of the four entries, the version of the writer, the attributes, and the bits that fill the last byte of
        // deflated contents have no effect.
        #expect(accepted <= 4 * (8 * 8 + 7), "\(accepted) flips were accepted")
    }

    @Test("A flipped bit in the contents of an entry is an error that names the entry")
    func damagedContents() throws {
        let path = Bundle.module.bundleURL.appendingPathComponent("Data/stored.npz")
        var bytes = try Array(Data(contentsOf: path))
        let archive = try ZipArchive(bytes, file: "x.npz")
        let contents = try archive.contents(of: "train_images.npy")
        let start = try #require(bytes.indices.first { bytes[$0...].starts(with: contents) })
        bytes[start + contents.count - 1] ^= 1
        do {
            let data = try MedMNIST(bytes, path: "x.npz")
            try data.forEachImage(of: [.train], maximumPixels: 100) { _, _, _, _ in }
            Issue.record("damaged data was read")
        } catch {
            #expect("\(error)".contains("train_images.npy is damaged: its checksum"), "\(error)")
        }
    }
}
