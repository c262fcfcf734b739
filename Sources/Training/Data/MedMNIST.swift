import Foundation
import Imaging

/// Reads .npz files of MedMNIST: `{train,val,test}_images` `[N, H, W]` or `[N, H, W, 3]`, and `..._labels` `[N, 1]`.
package enum MedMNIST {
    static func load(path: String) throws -> DataSet {
        try parse(Array(Data(contentsOf: URL(fileURLWithPath: path))), path: path)
    }

    /// Parses the archive in `bytes`; `path` is its name in error messages.
    package static func parse(_ bytes: [UInt8], path: String) throws -> DataSet {
        let archive = try ZipArchive(bytes, file: path)
        var splits: [DataSet.Split: [LabeledImage]] = [:]
        for (split, prefix) in [(DataSet.Split.train, "train"), (.validation, "val"), (.test, "test")] {
            guard archive.names.contains("\(prefix)_images.npy") else { continue }
            splits[split] = try load(archive, prefix, path)
        }
        guard !splits.isEmpty else { throw DataError(path, "has no train_images, val_images or test_images") }
        return DataSet(splits: splits)
    }

    private static func load(_ archive: ZipArchive, _ prefix: String, _ path: String) throws -> [LabeledImage] {
        func array(_ part: String) throws -> NumPyArray {
            let name = "\(prefix)_\(part).npy"
            return try NumPyArray(parsing: archive.contents(of: name), name: "\(path): \(name)")
        }
        let images = try array("images")
        let labels = try array("labels")
        let shape = images.shape
        guard shape.count == 3 || (shape.count == 4 && (shape[3] == 3 || shape[3] == 1)), !shape.contains(0)
        else { throw DataError(path, "\(prefix)_images has unsupported shape \(shape)") }
        guard images.values.allSatisfy((0...255).contains) else {
            throw DataError(path, "\(prefix)_images has values outside 0 to 255")
        }
        guard labels.values.count == shape[0] else {
            throw DataError(path, "\(prefix) has \(shape[0]) images but \(labels.values.count) labels")
        }
        let channels = shape.count == 4 ? shape[3] : 1
        let size = shape[1] * shape[2] * channels
        return (0..<shape[0]).map { index in
            let samples = images.values[index * size..<(index + 1) * size].map { Float($0) / 255 }
            let image = Image(height: shape[1], width: shape[2], channels: channels, samples: samples)
            return LabeledImage(image: image, label: String(labels.values[index]))
        }
    }
}
