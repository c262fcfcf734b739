public import DIA
import Foundation
import Imaging

/// A split of a data set with the score of each image.
public struct ScoredSplit: Sendable {
    /// The result of one image.
    public struct Entry: Sendable {
        /// The label.
        public let label: String
        /// Whether the label is the label of normal images.
        public let isNormal: Bool
        /// The score.
        public let result: ScoreBank.Result
    }

    /// The split.
    public let split: DataSet.Split
    /// Facts about the model.
    public let information: Model.Information
    /// The images in the order of the data set.
    public let entries: [Entry]

    /// Scores all images of `split` with `model`; images with a label other than `normal` are anomalous.
    ///
    /// Throws an error unless there are both normal and anomalous images, and ``Interrupted`` if `isInterrupted` returns
    /// true.
    public init(
        _ model: Model,
        data: DataSet,
        split: DataSet.Split,
        normal: String,
        isInterrupted: () -> Bool = { false }
    ) throws {
        self.split = split
        information = model.information
        let images = data.splits[split] ?? []
        let anomalies = images.count { $0.label != normal }
        guard anomalies > 0, anomalies < images.count else {
            throw DataError(
                split.rawValue,
                "\(images.count - anomalies) normal and \(anomalies) anomalous images; an evaluation needs both"
            )
        }
        var progress = ProgressReporter("evaluate \(split.rawValue)", total: images.count)
        var entries: [Entry] = []
        let batchSize = max(information.preferredBatchSize, 1)
        for start in stride(from: 0, to: images.count, by: batchSize) {
            if isInterrupted() {
                progress.endLine()
                throw Interrupted(.evaluation)
            }
            let part = images[start..<min(start + batchSize, images.count)]
            let results = model.score(part.map { model.information.prepare($0.image) })
            for (image, result) in zip(part, results) {
                entries.append(Entry(label: image.label, isNormal: image.label == normal, result: result))
            }
            progress.update(entries.count)
        }
        self.entries = entries
    }

    /// Returns a value for each normal and for each anomalous image.
    func values(_ number: (ScoreBank.Result) -> Double) -> (normal: [Double], anomalous: [Double]) {
        (
            entries.filter(\.isNormal).map { number($0.result) },
            entries.filter { !$0.isNormal }.map { number($0.result) }
        )
    }

    /// Returns the metrics of a value that is higher for more normal images.
    func metrics(_ number: (ScoreBank.Result) -> Double) -> DetectionMetrics {
        let (normal, anomalous) = values { -number($0) }
        return DetectionMetrics(normal: normal, anomalous: anomalous)
    }

    /// One CSV line per image, in the order of the data set, without file names or pixels.
    var csv: String {
        let parts = information.parts.map(\.name)
        var text = (["index", "label", "normality", "score", "p_value", "csi"] + parts).joined(separator: ",") + "\n"
        for (index, entry) in entries.enumerated() {
            let (calibration, normality) = (information.calibration, entry.result.normality)
            let numbers: [Double?] =
                [normality, calibration?.score(normality), calibration?.pValue(normality), entry.result.csi.normality]
                + entry.result.parts
            let label = entry.label.contains { ",\"\n\r".contains($0) } ? quoted(entry.label) : entry.label
            text +=
                "\(index),\(label),"
                + numbers.map { $0.map { String(format: "%.6g", $0) } ?? "" }
                .joined(separator: ",") + "\n"
        }
        return text
    }

    private func quoted(_ label: String) -> String { "\"" + label.replacing("\"", with: "\"\"") + "\"" }
}
