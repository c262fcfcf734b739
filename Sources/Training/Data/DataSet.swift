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

    /// Loads a MedMNIST .npz file, or a folder tree `train/LABEL/*.png`, `test/LABEL/*.png` (and `val`).
    public static func load(path: String, maximumPixels: Int = 100_000_000) throws -> DataSet {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            throw DataError(path, "does not exist")
        }
        return isDirectory.boolValue
            ? try ImageFolder.load(path: path, maximumPixels: maximumPixels) : try MedMNIST.load(path: path)
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
