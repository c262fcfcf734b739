import Foundation
public import Imaging

/// An image with the label of its class.
public struct LabeledImage: Sendable {
    /// The image.
    public var image: Image
    /// The label.
    public var label: String
    /// The path of the file relative to the data; for an .npz file the array and the index.
    public var name = ""
    /// Where the anomaly is, of the size of the image and in one channel: above one half inside; nil if it is unknown.
    public var mask: Image?
    /// The group, such as the patient; nil if the data was read without a pattern for groups.
    public var group: String?
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

    /// Loads the images of `source`, converted to `size` while they are read, so that the memory does not depend on the
    /// sizes of the files; nil keeps their sizes.
    ///
    /// All images are read first. If some cannot be read, the function throws one error that names all of them, or
    /// skips them with `skippingUnreadable`.
    public static func load(
        _ source: DataSource,
        size: ImageSize?,
        splits: Set<Split> = Set(Split.allCases),
        skippingUnreadable: Bool = false,
        maximumPixels: Int = DataSource.maximumPixels,
        threads: Int = 1,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws -> Loaded {
        var result: [Split: [LabeledImage]] = [:]
        var unreadable: [DataError] = []
        let isArchive = try source.forEachArchivedImage(
            of: splits,
            maximumPixels: maximumPixels,
            isInterrupted: isInterrupted
        ) { image, _, split, index in
            let item = source.splits[split]?[index]
            let resized = size.map {
                image.converted(toChannels: $0.channels).resized(height: $0.height, width: $0.width)
            }
            let label = item?.label ?? ""
            result[split, default: []].append(
                LabeledImage(image: resized ?? image, label: label, name: item?.name ?? "")
            )
        }
        if !isArchive {
            for split in Split.allCases where splits.contains(split) {
                guard let items = source.splits[split] else { continue }
                let outcomes = try source.map(items, threads: threads, isInterrupted: isInterrupted) { bytes in
                    var consumer = ResizingConsumer(to: size)
                    try ImageFile.decode(
                        bytes,
                        into: &consumer,
                        asGray: size?.channels == 1,
                        maximumPixels: maximumPixels,
                        isCancelled: isInterrupted
                    )
                    return consumer.finish()
                }
                var images: [LabeledImage] = []
                for (item, outcome) in zip(items, outcomes) {
                    switch outcome {
                    case .success(let image?):
                        var labeled = LabeledImage(
                            image: image,
                            label: item.label,
                            name: item.name,
                            group: item.group
                        )
                        if split == .test {
                            labeled.mask = try source.mask(of: item, height: image.height, width: image.width)
                        }
                        images.append(labeled)
                    case .success(nil): break
                    case .failure(let error): unreadable.append(error)
                    }
                }
                result[split] = images
            }
        }
        guard unreadable.isEmpty || skippingUnreadable else {
            let shown = unreadable.prefix(20).map { "  \($0)" }.joined(separator: "\n")
            let rest = unreadable.count > 20 ? "\n  and \(unreadable.count - 20) more" : ""
            throw DataError(
                source.path,
                "\(unreadable.count) images cannot be read (--skip-unreadable skips them):\n\(shown)\(rest)"
            )
        }
        return Loaded(data: DataSet(splits: result), unreadable: unreadable)
    }

    /// Lists and loads the data at `path`; see ``DataSource`` and ``load(_:size:splits:skippingUnreadable:maximumPixels:threads:isInterrupted:)``.
    public static func load(
        path: String,
        size: ImageSize? = nil,
        skippingUnreadable: Bool = false,
        maximumPixels: Int = DataSource.maximumPixels
    ) throws -> Loaded {
        let source = try DataSource(path: path)
        return try load(
            source,
            size: size,
            skippingUnreadable: skippingUnreadable,
            maximumPixels: maximumPixels
        )
    }

    /// Returns the images of `split`, converted to one size and number of channels.
    public func prepared(_ split: Split, channels: Int, height: Int, width: Int) -> [LabeledImage] {
        (splits[split] ?? []).map {
            var result = $0
            result.image = $0.image.converted(toChannels: channels).resized(height: height, width: width)
            return result
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
