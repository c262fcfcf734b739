public import DIA
import Foundation
import Imaging

/// A split of a data set with the score of each image.
public struct ScoredSplit: Sendable {
    /// One image's result.
    public struct Entry: Sendable {
        /// Its label.
        public let label: String
        /// Whether the label is the normal one.
        public let isNormal: Bool
        /// Its score.
        public let result: ScoreBank.Result
    }

    /// The split.
    public let split: DataSet.Split
    /// What is known of the model.
    public let information: Model.Information
    /// The images in the data set's order.
    public let entries: [Entry]

    /// Scores every image of `split` with `model`; labels other than `normal` are anomalous.
    ///
    /// Throws unless there are both.
    public init(_ model: Model, data: DataSet, split: DataSet.Split, normal: String) throws(DataError) {
        self.split = split
        information = model.information
        let images = data.splits[split] ?? []
        let anomalies = images.count { $0.label != normal }
        guard anomalies > 0, anomalies < images.count else {
            throw DataError(
                split.rawValue,
                "\(images.count - anomalies) normal and \(anomalies) other images, both are needed"
            )
        }
        var progress = ProgressReporter("evaluate \(split.rawValue)", total: images.count)
        var entries: [Entry] = []
        let atOnce = max(information.preferredBatchSize, 1)
        for start in stride(from: 0, to: images.count, by: atOnce) {
            let part = images[start..<min(start + atOnce, images.count)]
            let results = model.score(part.map { model.information.prepare($0.image) })
            for (image, result) in zip(part, results) {
                entries.append(Entry(label: image.label, isNormal: image.label == normal, result: result))
            }
            progress.update(entries.count)
        }
        self.entries = entries
    }

    /// A number of the normal and of the anomalous images.
    func values(_ number: (ScoreBank.Result) -> Double) -> (normal: [Double], anomalous: [Double]) {
        (
            entries.filter(\.isNormal).map { number($0.result) },
            entries.filter { !$0.isNormal }.map { number($0.result) }
        )
    }

    /// How well a number that is higher for more normal images tells them apart.
    func metrics(_ number: (ScoreBank.Result) -> Double) -> Metrics {
        let (normal, anomalous) = values { -number($0) }
        return Metrics(normal: normal, anomalous: anomalous)
    }

    /// A line for each image, in the data set's order: no name of a file, no pixel.
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
