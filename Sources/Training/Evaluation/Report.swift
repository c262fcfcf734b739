public import DIA
import Foundation
import ModelFile

/// An evaluation as files: report.json, report.md, scores.csv, and plots.
public struct Report {
    /// The results.
    public let evaluation: Evaluation
    private let scored: ScoredSplit

    /// Scores `split` of `data` with `model` and computes the results.
    public init(
        _ model: Model,
        data: DataSet,
        split: DataSet.Split,
        normal: String,
        seed: UInt64 = 0,
        isInterrupted: () -> Bool = { false }
    ) throws {
        scored = try ScoredSplit(model, data: data, split: split, normal: normal, isInterrupted: isInterrupted)
        evaluation = Evaluation(scored, seed: seed)
    }

    /// Writes the files to `folder`, which is created if it does not exist.
    ///
    /// Only the dissolving grid contains images of the data set.
    public func write(_ model: Model, data: DataSet, normal: String, to folder: String) throws {
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        let manifest = model.information.manifest
        let title = "\(manifest.name) \(manifest.version), \(evaluation.split)"
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(evaluation).write(to: URL(fileURLWithPath: "\(folder)/report.json"), options: .atomic)
        try write(scored.csv, to: "\(folder)/scores.csv")
        try ScorePlots.roc(scored.metrics(\.normality), title: title).write(to: "\(folder)/roc.png")
        let (normals, anomalies) = scored.values(\.normality)
        let threshold = model.information.calibration?.threshold
        try ScorePlots.histogram(normal: normals, anomalous: anomalies, threshold: threshold, title: title)
            .write(to: "\(folder)/histogram.png")
        try DissolvingGrid.write(model, data: data, split: scored.split, normal: normal, to: folder)
        let steps = DissolvingGrid.steps.map(String.init).joined(separator: ", ")
        let page = """
            # \(title)

            \(Model.notice)

            \(evaluation.text)

            ![ROC curve](roc.png)
            ![Normality of normal and anomalous images](histogram.png)

            `dissolving.png`, which is only stored with the data, shows three normal and three anomalous images, from
            left to right: the image itself and dissolved at \(steps). `scores.csv` has one line per image.

            """
        try write(page, to: "\(folder)/report.md")
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
