import Foundation
public import Imaging

/// An image with the label of its class.
public struct LabeledImage: Sendable {
    /// The image.
    public var image: Image
    /// The label.
    public var label: String
}

/// The images of a data set, by split.
public struct DataSet: Sendable {
    /// A split of the data.
    public enum Split: String, Sendable, CaseIterable, Codable {
        /// For training.
        case train
        /// For model selection.
        case validation
        /// For the reported results.
        case test
    }

    /// The images of each split; a split can be missing.
    public var splits: [Split: [LabeledImage]]

    /// Creates a data set from `splits`.
    public init(splits: [Split: [LabeledImage]]) { self.splits = splits }

    /// A data set loaded from disk, with the errors of the images that could not be read.
    public struct Loaded: Sendable {
        /// The images that could be read.
        public let data: DataSet
        /// One error for each image that was skipped.
        public let unreadable: [DataError]
    }

    /// Loads a MedMNIST .npz file, or a folder tree `train/LABEL/*.png`, `test/LABEL/*.png` (and `val`).
    ///
    /// All images are read first. If some cannot be read, the function throws one error that names all of them, or
    /// skips them with `skippingUnreadable`.
    public static func load(
        path: String,
        skippingUnreadable: Bool = false,
        maximumPixels: Int = 100_000_000
    ) throws -> Loaded {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DataError(path, "does not exist")
        }
        guard isDirectory.boolValue else { return Loaded(data: try MedMNIST.load(path: path), unreadable: []) }
        let loaded = try ImageFolder.load(path: path, maximumPixels: maximumPixels)
        guard loaded.unreadable.isEmpty || skippingUnreadable else {
            let shown = loaded.unreadable.prefix(20).map { "  \($0)" }.joined(separator: "\n")
            let rest = loaded.unreadable.count > 20 ? "\n  and \(loaded.unreadable.count - 20) more" : ""
            throw DataError(path, "\(loaded.unreadable.count) images cannot be read:\n\(shown)\(rest)")
        }
        return loaded
    }

    /// Returns the images of `split`, converted to one size and number of channels.
    public func prepared(_ split: Split, channels: Int, height: Int, width: Int) -> [LabeledImage] {
        (splits[split] ?? []).map {
            let image = $0.image.converted(toChannels: channels).resized(height: height, width: width)
            return LabeledImage(image: image, label: $0.label)
        }
    }

    /// The set of labels in all splits.
    public var labels: Set<String> { Set(splits.values.joined().map(\.label)) }

    /// Throws an error if `label` is not one of the labels.
    public func requireLabel(_ label: String) throws(DataError) {
        guard labels.contains(label) else {
            throw DataError("--normal \(label)", "unknown label; labels are \(labels.sorted().joined(separator: ", "))")
        }
    }
}
