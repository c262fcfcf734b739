import Foundation
package import Imaging

/// An .npz file as MedMNIST has them: `{train,val,test}_images` `[N, H, W]`, `[N, H, W, 1]` or `[N, H, W, 3]`, and
/// `..._labels` `[N]` or `[N, 1]`, which are integers or strings.
package struct MedMNIST: Sendable {
    /// The labels of each split.
    package let labels: [DataSet.Split: [String]]
    private let archive: ZipArchive
    private let path: String

    private static let prefixes: [(split: DataSet.Split, name: String)] = [
        (.train, "train"), (.validation, "val"), (.test, "test"),
    ]

    /// Reads the labels in the file at `path`.
    static func open(path: String) throws -> MedMNIST {
        try MedMNIST(Array(FileAccess.contents(of: path, maximumBytes: 16 << 30)), path: path)
    }

    /// Reads the labels in the archive in `bytes`; `path` is its name in error messages.
    package init(_ bytes: [UInt8], path: String, verifiesChecksums: Bool = true) throws(DataError) {
        self.path = path
        archive = try ZipArchive(bytes, file: path, verifiesChecksums: verifiesChecksums)
        var labels: [DataSet.Split: [String]] = [:]
        for (split, prefix) in Self.prefixes where archive.names.contains("\(prefix)_images.npy") {
            labels[split] = try Self.labels(Self.array("\(prefix)_labels", archive, path), "\(path): \(prefix)_labels")
        }
        guard !labels.isEmpty else { throw DataError(path, "has no train_images, val_images or test_images") }
        self.labels = labels
    }

    private static func array(_ name: String, _ archive: ZipArchive, _ path: String) throws(DataError) -> NumPyArray {
        try NumPyArray(parsing: archive.contents(of: "\(name).npy"), name: "\(path): \(name).npy")
    }

    private static func labels(_ array: NumPyArray, _ place: String) throws(DataError) -> [String] {
        guard array.shape.count == 1 || (array.shape.count == 2 && array.shape[1] == 1) else {
            throw DataError(place, "has shape \(array.shape); one label per image is required, [N] or [N, 1]")
        }
        var result: [String] = []
        for index in 0..<array.count {
            guard let text = array.text(at: index), !text.isEmpty else {
                throw DataError(place, "label \(index) is not an integer or a text")
            }
            result.append(text)
        }
        return result
    }

    /// Calls `body` with each image of `splits`, its properties, its split and its index.
    ///
    /// All numbers of the file have one range; see ``SampleRange``.
    package func forEachImage(
        of splits: Set<DataSet.Split>,
        maximumPixels: Int,
        _ body: (Image, ImageProperties, DataSet.Split, Int) throws -> Void
    ) throws {
        var arrays: [(split: DataSet.Split, name: String, images: NumPyArray)] = []
        for (split, prefix) in Self.prefixes where labels[split] != nil && splits.contains(split) {
            let images = try Self.array("\(prefix)_images", archive, path)
            try check(images, labels[split]?.count ?? 0, prefix, maximumPixels)
            arrays.append((split, prefix, images))
        }
        let range = try SampleRange(arrays.map { ("\(path): \($0.name)_images", $0.images) })
        for (split, _, images) in arrays {
            let properties = ImageProperties(
                format: "npz",
                width: images.shape[2],
                height: images.shape[1],
                bitDepth: images.elementSize * 8,
                color: images.shape.count == 4 && images.shape[3] == 3 ? "rgb" : "gray"
            )
            for index in 0..<images.shape[0] {
                try body(Self.image(index, of: images, range), properties, split, index)
            }
        }
    }

    private func check(_ images: NumPyArray, _ labels: Int, _ prefix: String, _ maximumPixels: Int) throws(DataError) {
        let shape = images.shape
        guard shape.count == 3 || (shape.count == 4 && (shape[3] == 3 || shape[3] == 1)), !shape.contains(0) else {
            throw DataError(
                path,
                "\(prefix)_images has shape \(shape); [N, H, W], [N, H, W, 1] or [N, H, W, 3] is required"
            )
        }
        guard shape[0] == labels else {
            throw DataError(path, "\(prefix) has \(shape[0]) images but \(labels) labels")
        }
        // The array has as many bytes as its shape says, so the product does not overflow.
        guard shape[1] * shape[2] <= maximumPixels else {
            throw DataError(path, "images of \(shape[2]) x \(shape[1]) pixels, the limit is \(maximumPixels) pixels")
        }
    }

    private static func image(_ index: Int, of images: NumPyArray, _ range: SampleRange) -> Image {
        let (height, width) = (images.shape[1], images.shape[2])
        let channels = images.shape.count == 4 ? images.shape[3] : 1
        let channelStride = images.shape.count == 4 ? images.stride(3) : 0
        let scale = range.scale(of: images)
        var samples: [Float] = []
        samples.reserveCapacity(height * width * channels)
        for row in 0..<height {
            for column in 0..<width {
                var position = index * images.stride(0) + row * images.stride(1) + column * images.stride(2)
                for _ in 0..<channels {
                    if images.elementSize == 1, images.kind == .unsigned {
                        samples.append(Float(images.byte(at: position)) / 255)
                    } else {
                        samples.append(min(Float(images.number(at: position)) / scale, 1))
                    }
                    position += channelStride
                }
            }
        }
        return Image(height: height, width: width, channels: channels, samples: samples)
    }
}
