import Console
import Foundation
import Imaging
import Synchronization

/// A data set on disk whose files and labels are known, but whose images have not been read.
public struct DataSource: Sendable {
    /// An image that can be read.
    public struct Item: Sendable {
        /// The path relative to the data; for an .npz file the array and the index.
        public let name: String
        /// The label.
        public let label: String
        /// The group, such as the patient; nil without a pattern for groups.
        public let group: String?
    }

    /// The folder or the .npz file.
    public let path: String
    /// The images of each split; a split can be missing.
    public let splits: [DataSet.Split: [Item]]
    /// The files that are not read.
    public let leftOut: LeftOut
    private let archive: MedMNIST?

    /// The default limit of the pixels of an image.
    public static let maximumPixels = 100_000_000
    private static let maximumFileBytes = 1 << 30

    /// Lists the images of a MedMNIST .npz file, or of a folder tree `train/LABEL/**`, `test/LABEL/**` (and `val`).
    ///
    /// With `groups`, an image whose path does not match is an error that names it.
    public init(
        path: String,
        groups: GroupPattern? = nil,
        isInterrupted: @Sendable () -> Bool = { false }
    ) throws {
        self.path = path
        switch FileAccess.kind(of: path) {
        case .missing: throw DataError(path, "does not exist")
        case .other: throw DataError(path, "is neither a folder nor an .npz file")
        case .file:
            guard groups == nil else {
                throw DataError("--groups", "needs a folder, because the images of an .npz file have no names")
            }
            let archive = try MedMNIST.open(path: path)
            self.archive = archive
            leftOut = LeftOut()
            var splits: [DataSet.Split: [Item]] = [:]
            for (split, labels) in archive.labels {
                splits[split] = labels.enumerated().map {
                    Item(name: "\(split.rawValue)[\($0.offset)]", label: $0.element, group: nil)
                }
            }
            self.splits = splits
        case .folder:
            archive = nil
            let listing = try FolderListing(path, isCancelled: isInterrupted)
            leftOut = listing.leftOut
            splits = try listing.files.mapValues { files in
                try files.map { file in
                    let group = groups?.group(of: file.path)
                    guard let groups, group == nil else {
                        return Item(name: file.path, label: file.label, group: group)
                    }
                    throw DataError("--groups \(groups.pattern)", "does not match \(file.path)")
                }
            }
        }
        guard splits.values.contains(where: { !$0.isEmpty }) else {
            throw DataError(path, "has no images\n\(leftOut.text)")
        }
    }

    /// Lists the images in the folder `path` and the folders in it; all are training images labeled `label`.
    public init(
        imagesIn path: String,
        label: String,
        isInterrupted: @Sendable () -> Bool = { false }
    ) throws {
        guard case .folder = FileAccess.kind(of: path) else { throw DataError(path, "is not a folder") }
        let listing = try FolderListing(imagesIn: path, label: label, isCancelled: isInterrupted)
        self.path = path
        archive = nil
        leftOut = listing.leftOut
        splits = listing.files.mapValues { $0.map { Item(name: $0.path, label: $0.label, group: nil) } }
        guard splits[.train]?.isEmpty == false else {
            throw DataError(path, "has no .png, .jpg or .jpeg files\n\(leftOut.text)")
        }
    }

    /// The labels of all splits, sorted.
    public var labels: [String] { Set(splits.values.joined().map(\.label)).sorted(by: FileAccess.precedes) }

    /// Throws an error if `label` is not one of the labels.
    public func requireLabel(_ label: String) throws(DataError) {
        guard labels.contains(label) else {
            throw DataError("--normal \(label)", "unknown label; labels are \(labels.joined(separator: ", "))")
        }
    }

    /// The number of images of `split` labeled `label`, or with another label.
    public func count(_ split: DataSet.Split, label: String) -> (labeled: Int, other: Int) {
        let items = splits[split] ?? []
        let labeled = items.count { $0.label == label }
        return (labeled, items.count - labeled)
    }

    /// The groups that are in more than one split, sorted.
    public var groupsInSeveralSplits: [String] {
        var found: [String: Set<DataSet.Split>] = [:]
        for (split, items) in splits {
            for group in items.compactMap(\.group) { found[group, default: []].insert(split) }
        }
        return found.filter { $0.value.count > 1 }.keys.sorted(by: FileAccess.precedes)
    }

    /// The number of images by split and label, and what is left out, one line each.
    public var text: String {
        var text = ""
        for split in DataSet.Split.allCases {
            guard let items = splits[split] else { continue }
            let counts = Dictionary(grouping: items, by: \.label).mapValues(\.count)
            let labels = counts.sorted { FileAccess.precedes($0.key, $1.key) }.map { "\($0.key) \($0.value)" }
            text += "\(split.rawValue): \(items.count) images"
            text += labels.isEmpty ? "\n" : " (\(labels.joined(separator: ", ")))\n"
        }
        text += leftOut.text
        let shared = groupsInSeveralSplits
        if !shared.isEmpty {
            let names = shared.prefix(3).joined(separator: ", ") + (shared.count > 3 ? ", ..." : "")
            text += "warning, groups in more than one split: \(shared.count) (\(names))\n"
        }
        return text
    }

    /// Calls `body` with the properties and the contents of each image of `items`, on `threads` threads.
    ///
    /// Returns the results in order; an image that cannot be read is an error in the result. Throws ``Interrupted`` if
    /// `isInterrupted` returns true.
    func map<Result: Sendable>(
        _ items: [Item],
        threads: Int,
        isInterrupted: @escaping @Sendable () -> Bool,
        _ body: @Sendable ([UInt8]) throws -> Result
    ) throws -> [Swift.Result<Result, DataError>] {
        var results: [Swift.Result<Result, DataError>] = []
        results.reserveCapacity(items.count)
        var progress = ProgressReporter("reading", total: items.count)
        let start = ContinuousClock.now
        let atOnce = max(threads, 1) * 8
        for first in stride(from: 0, to: items.count, by: atOnce) {
            let part = items[first..<min(first + atOnce, items.count)]
            let done = Mutex([Swift.Result<Result, DataError>?](repeating: nil, count: part.count))
            DispatchQueue.concurrentPerform(iterations: max(threads, 1)) { thread in
                for index in Swift.stride(from: thread, to: part.count, by: max(threads, 1)) where !isInterrupted() {
                    let place = "\(path)/\(part[part.startIndex + index].name)"
                    let result = Self.outcome(place, body)
                    done.withLock { $0[index] = result }
                }
            }
            if isInterrupted() {
                progress.endLine()
                throw Interrupted(.reading)
            }
            results += done.withLock { $0 }.compactMap { $0 }
            // Most data sets are read in an instant.
            if ContinuousClock.now - start > .seconds(2) { progress.update(results.count) }
        }
        return results
    }

    private static func outcome<Result>(
        _ place: String,
        _ body: ([UInt8]) throws -> Result
    ) -> Swift.Result<Result, DataError> {
        do {
            return .success(try body(Array(FileAccess.contents(of: place, maximumBytes: maximumFileBytes))))
        } catch let error as DataError {
            return .failure(error)
        } catch {
            return .failure(DataError(place, "\(error)"))
        }
    }

    /// Calls `body` with each image of `splits` of an .npz file, its properties, its split and its index.
    ///
    /// Returns false if the data is a folder.
    func forEachArchivedImage(
        of splits: Set<DataSet.Split>,
        maximumPixels: Int,
        isInterrupted: () -> Bool,
        _ body: (Image, ImageProperties, DataSet.Split, Int) throws -> Void
    ) throws -> Bool {
        guard let archive else { return false }
        try archive.forEachImage(of: splits, maximumPixels: maximumPixels) { image, properties, split, index in
            if isInterrupted() { throw Interrupted(.reading) }
            try body(image, properties, split, index)
        }
        return true
    }
}
