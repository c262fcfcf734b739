public import DIA
import Foundation
import Imaging

/// A split of a data set with the score of each image.
public struct ScoredSplit: Sendable {
    /// The result of one image.
    public struct Entry: Sendable {
        /// The path of the file relative to the data; for an .npz file the array and the index.
        public let name: String
        /// The label.
        public let label: String
        /// Whether the label is the label of normal images.
        public let isNormal: Bool
        /// The score.
        public let result: ScoreBank.Result
        /// Whether the image is like the calibration images; nil if the model does not check it.
        public let check: InputCheck.Result?
    }

    /// The split.
    public let split: DataSet.Split
    /// Facts about the model.
    public let information: Model.Information
    /// The images in the order of the data set.
    public let entries: [Entry]
    /// The number of images scored per second.
    let imagesPerSecond: Double

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
        let start = ContinuousClock.now
        let information = information
        let entries = try mapBatches(
            images,
            size: information.preferredBatchSize,
            title: "evaluate \(split.rawValue)",
            phase: .evaluation,
            isInterrupted: isInterrupted
        ) { part in
            let prepared = part.map { information.prepare($0.image) }
            return zip(part, zip(prepared, model.score(prepared))).map { image, scored in
                Entry(
                    name: image.name,
                    label: image.label,
                    isNormal: image.label == normal,
                    result: scored.1,
                    check: information.inputCheck?(scored.0)
                )
            }
        }
        self.entries = entries
        imagesPerSecond = Double(entries.count) / ((ContinuousClock.now - start) / .seconds(1))
    }

    /// Returns a value for each normal and for each anomalous image.
    func values(_ number: (ScoreBank.Result) -> Double) -> (normal: [Double], anomalous: [Double]) {
        (
            entries.filter(\.isNormal).map { number($0.result) },
            entries.filter { !$0.isNormal }.map { number($0.result) }
        )
    }

    /// Returns the share of normal images with a p-value of at most each p-value that occurs.
    func pValueCurve(_ calibration: Calibration) -> [(level: Double, share: Double)] {
        let values = values(\.normality).normal.map { calibration.pValue($0) }.sorted()
        return [(0, 0)]
            + values.enumerated().map { (level: $0.element, share: Double($0.offset + 1) / Double(values.count)) }
            + [(1, 1)]
    }

    /// Returns the metrics of a value that is higher for more normal images.
    func metrics(_ number: (ScoreBank.Result) -> Double) -> DetectionMetrics {
        let (normal, anomalous) = values { -number($0) }
        return DetectionMetrics(normal: normal, anomalous: anomalous)
    }

    /// One CSV line per image (RFC 4180), in the order of the data set, without pixels.
    var csv: String {
        let parts = information.parts.map { "part.\($0.name)" }
        let columns = [
            "index", "name", "label", "verdict", "input_p_value", "normality", "score", "p_value", "csi",
        ]
        var text = (columns + parts).joined(separator: ",") + "\n"
        for (index, entry) in entries.enumerated() {
            let (calibration, normality) = (information.calibration, entry.result.normality)
            let numbers: [Double?] =
                [
                    normality, calibration?.score(normality),
                    entry.check?.isTypical == false ? nil : calibration?.pValue(normality), entry.result.csi.normality,
                ]
                + entry.result.parts
            let words = [entry.name, entry.label, verdict(entry)].map(quoted).joined(separator: ",")
            let check = entry.check.map { String(format: "%.6g", $0.pValue) } ?? ""
            text +=
                "\(index),\(words),\(check),"
                + numbers.map { $0.map { String(format: "%.6g", $0) } ?? "" }
                .joined(separator: ",") + "\n"
        }
        return text
    }

    private func verdict(_ entry: Entry) -> String {
        if entry.check?.isTypical == false { return "atypical_input" }
        guard let threshold = information.calibration?.threshold else { return "" }
        return entry.result.normality < threshold ? "anomalous" : "normal"
    }

    private func quoted(_ text: String) -> String {
        guard text.contains(where: { ",\"\n\r".contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
