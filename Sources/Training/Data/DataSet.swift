import Foundation
public import Imaging

/// An image with the name of its class.
public struct LabeledImage: Sendable {
    /// The image.
    public var image: Image
    /// The class.
    public var label: String
}

/// The images of a data set in their splits.
public struct DataSet: Sendable {
    /// Which images.
    public enum Split: String, Sendable, CaseIterable, Codable {
        /// To train on.
        case train
        /// To choose by.
        case validation
        /// To report.
        case test
    }

    /// The images of each split; a split may be missing.
    public var splits: [Split: [LabeledImage]]

    /// A data set of `splits`.
    public init(splits: [Split: [LabeledImage]]) { self.splits = splits }

    /// A data set from disk, and what could not be read of it.
    public struct Loaded: Sendable {
        /// The images that could be read.
        public let data: DataSet
        /// One error for each image that was left out.
        public let unreadable: [DataError]
    }

    /// Loads a MedMNIST .npz file, or a folder tree `train/LABEL/*.png`, `test/LABEL/*.png` (and `val`).
    ///
    /// Every image is read first. Those that cannot be are one error that names them all, or with
    /// `skippingUnreadable` are left out.
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

    /// The images of `split` brought to one size and number of channels.
    public func prepared(_ split: Split, channels: Int, height: Int, width: Int) -> [LabeledImage] {
        (splits[split] ?? []).map {
            let image = $0.image.converted(toChannels: channels).resized(height: height, width: width)
            return LabeledImage(image: image, label: $0.label)
        }
    }

    /// The labels of all splits.
    public var labels: Set<String> { Set(splits.values.joined().map(\.label)) }

    /// Throws unless `label` is one of the labels.
    public func requireLabel(_ label: String) throws(DataError) {
        guard labels.contains(label) else {
            throw DataError("--normal \(label)", "no such label; there are \(labels.sorted().joined(separator: ", "))")
        }
    }
}
