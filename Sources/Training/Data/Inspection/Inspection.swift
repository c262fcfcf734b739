import Foundation
import Imaging

/// A report about the images of a data set, to find mistakes before training.
public struct Inspection: Sendable, Codable {
    /// A number of images with a property.
    public struct Tally: Sendable, Codable, Hashable {
        /// The property.
        public let value: String
        /// The number of images.
        public let images: Int
    }

    /// The number of images of a label in a split.
    public struct Count: Sendable, Codable, Hashable {
        /// The split and the label.
        public let split, label: String
        /// The number of images.
        public let images: Int
    }

    /// Pairs of equal or similar images.
    public struct Duplicates: Sendable, Codable, Hashable {
        /// The number of pairs, and of those in different splits and with different labels.
        public let pairs, acrossSplits, acrossLabels: Int
        /// The names of the first pairs; those across splits or labels first.
        public let examples: [[String]]
    }

    /// The groups of the images.
    public struct Groups: Sendable, Codable, Hashable {
        /// The number of groups.
        public let count: Int
        /// The groups in more than one split.
        public let inSeveralSplits: [String]
    }

    /// The number of images by split and label.
    public let counts: [Count]
    /// The number of files that are not read, by reason.
    public let leftOut: [String: Int]
    /// The errors of the images that cannot be read.
    public let unreadable: [String]
    /// The sizes, formats, color types and bit depths, the most frequent first.
    public let sizes, formats, colors, bitDepths: [Tally]
    /// Images with equal pixels.
    public let exactDuplicates: Duplicates
    /// Different images with nearly equal block means.
    public let nearDuplicates: Duplicates
    /// The groups; nil if the data was listed without a pattern for groups.
    public let groups: Groups?
    /// For validation and test, the AUROC of the mean distance to the 5 nearest normal training images by block means;
    /// nil without a normal label.
    public let floor: [String: Double]?

    /// An image of the data set.
    private struct Entry {
        let split: DataSet.Split
        let item: DataSource.Item
        let means: BlockMeans
    }

    /// Reads all images of `source`; `normal` is the label of normal images for the floor.
    ///
    /// Images that cannot be read are reported. Throws ``Interrupted`` if `isInterrupted` returns true.
    public init(
        _ source: DataSource,
        normal: String?,
        threads: Int,
        maximumPixels: Int = DataSource.maximumPixels,
        isInterrupted: @escaping @Sendable () -> Bool = { false }
    ) throws {
        var entries: [Entry] = []
        var errors: [String] = []
        let isArchive = try source.forEachArchivedImage(
            of: Set(DataSet.Split.allCases),
            maximumPixels: maximumPixels,
            isInterrupted: isInterrupted
        ) { image, properties, split, index in
            guard let item = source.splits[split]?[index] else { return }
            entries.append(Entry(split: split, item: item, means: BlockMeans(image, properties)))
        }
        for split in DataSet.Split.allCases where !isArchive {
            let items = source.splits[split] ?? []
            let outcomes = try source.map(items, threads: threads, isInterrupted: isInterrupted) { bytes in
                var accumulator = BlockMeans.Accumulator()
                try ImageFile.decode(
                    bytes,
                    into: &accumulator,
                    asGray: false,
                    maximumPixels: maximumPixels,
                    isCancelled: isInterrupted
                )
                return accumulator.finish()
            }
            for (item, outcome) in zip(items, outcomes) {
                switch outcome {
                case .success(let means): if let means { entries.append(Entry(split: split, item: item, means: means)) }
                case .failure(let error): errors.append(error.description)
                }
            }
        }
        unreadable = errors
        counts = DataSet.Split.allCases.flatMap { split in
            Dictionary(grouping: source.splits[split] ?? [], by: \.label)
                .sorted { FileAccess.precedes($0.key, $1.key) }
                .map { Count(split: split.rawValue, label: $0.key, images: $0.value.count) }
        }
        leftOut = Dictionary(uniqueKeysWithValues: source.leftOut.paths.map { ($0.key.rawValue, $0.value.count) })
        func tally(_ value: (ImageProperties) -> String) -> [Tally] {
            Dictionary(grouping: entries.map { value($0.means.properties) }, by: { $0 })
                .map { Tally(value: $0.key, images: $0.value.count) }
                .sorted { ($1.images, $0.value) < ($0.images, $1.value) }
        }
        sizes = tally { "\($0.width) x \($0.height)" }
        formats = tally(\.format)
        colors = tally(\.color)
        bitDepths = tally { "\($0.bitDepth) bits" }
        let search = try DuplicateSearch(entries.map(\.means), isInterrupted: isInterrupted)
        exactDuplicates = Self.duplicates(search.exact, entries)
        nearDuplicates = Self.duplicates(search.near, entries)
        let found = Set(entries.compactMap(\.item.group))
        groups = found.isEmpty ? nil : Groups(count: found.count, inSeveralSplits: source.groupsInSeveralSplits)
        guard let normal else {
            floor = nil
            return
        }
        let training = entries.filter { $0.split == .train && $0.item.label == normal }.map(\.means)
        var floor: [String: Double] = [:]
        for split in [DataSet.Split.validation, .test] {
            let images = entries.filter { $0.split == split }.map { ($0.means, $0.item.label == normal) }
            floor[split.rawValue] = try NeighborFloor.auroc(
                training: training,
                images: images,
                isInterrupted: isInterrupted
            )
        }
        self.floor = floor
    }

    private static func duplicates(_ pairs: [DuplicateSearch.Pair], _ entries: [Entry]) -> Duplicates {
        func isAcrossSplits(_ pair: DuplicateSearch.Pair) -> Bool {
            entries[pair.first].split != entries[pair.second].split
        }
        func isAcrossLabels(_ pair: DuplicateSearch.Pair) -> Bool {
            entries[pair.first].item.label != entries[pair.second].item.label
        }
        let first = pairs.filter { isAcrossSplits($0) || isAcrossLabels($0) }
        let rest = pairs.filter { !isAcrossSplits($0) && !isAcrossLabels($0) }
        return Duplicates(
            pairs: pairs.count,
            acrossSplits: pairs.count(where: isAcrossSplits),
            acrossLabels: pairs.count(where: isAcrossLabels),
            examples: (first + rest).prefix(10).map { [entries[$0.first].item.name, entries[$0.second].item.name] }
        )
    }

    /// The report as text.
    public var text: String {
        func tallies(_ title: String, _ tallies: [Tally]) -> String {
            let shown = tallies.prefix(8).map { "\($0.value) (\($0.images))" }.joined(separator: ", ")
            let rest = tallies.count > 8 ? ", and \(tallies.count - 8) more" : ""
            return "\(title): \(shown)\(rest)\n"
        }
        func lines(_ title: String, _ duplicates: Duplicates) -> String {
            let summary =
                "\(title): \(duplicates.pairs), across splits: \(duplicates.acrossSplits), "
                + "across labels: \(duplicates.acrossLabels)\n"
            return summary + duplicates.examples.prefix(5).map { "  \($0.joined(separator: " = "))\n" }.joined()
        }
        var text = ""
        if !unreadable.isEmpty {
            text += "unreadable: \(unreadable.count) images\n"
            text += unreadable.prefix(20).map { "  \($0)\n" }.joined()
        }
        text += tallies("sizes", sizes) + tallies("formats", formats) + tallies("colors", colors)
        text += tallies("bit depths", bitDepths)
        text += lines("pairs of exact duplicates", exactDuplicates)
        text += lines("pairs of near-duplicates", nearDuplicates)
        if let groups {
            let names = groups.inSeveralSplits.prefix(5).joined(separator: ", ")
            let list = names.isEmpty ? "" : " (\(names)\(groups.inSeveralSplits.count > 5 ? ", ..." : ""))"
            text += "groups: \(groups.count), in more than one split: \(groups.inSeveralSplits.count)\(list)\n"
        }
        if let floor {
            let figures = DataSet.Split.allCases.compactMap { split in
                floor[split.rawValue].map { "\(split.rawValue) \(String(format: "%.3f", $0))" }
            }
            text += "floor (AUROC of the mean distance to the 5 nearest normal training images, 16 x 16 block means): "
            text += figures.isEmpty ? "needs normal and anomalous images\n" : figures.joined(separator: ", ") + "\n"
        }
        return text
    }

    /// The report as JSON.
    public var json: String {
        get throws {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            encoder.keyEncodingStrategy = .convertToSnakeCase
            return try String(decoding: encoder.encode(self), as: UTF8.self)
        }
    }
}
