public import DIA
import Foundation
import ModelFile
public import Neural

/// An evaluation as files: report.json, report.md, scores.csv, and plots.
public struct Report {
    /// The results.
    public private(set) var evaluation: Evaluation
    private let scored: ScoredSplit

    /// Scores `split` of `data` with `model` and computes the results.
    ///
    /// The baselines need at least two normal training images in `data`, and are left out without them.
    public init(
        _ model: Model,
        data: DataSet,
        split: DataSet.Split,
        normal: String,
        seed: UInt64 = 0,
        workers: ThreadPool,
        isInterrupted: () -> Bool = { false }
    ) throws {
        scored = try ScoredSplit(model, data: data, split: split, normal: normal, isInterrupted: isInterrupted)
        evaluation = Evaluation(scored, seed: seed)
        evaluation.pixelAUROC = try PixelAUROC.measure(
            model,
            data.splits[split] ?? [],
            normal: normal,
            isInterrupted: isInterrupted
        )
        let training = (data.splits[.train] ?? []).filter { $0.label == normal }
        guard training.count > 1 else { return }
        evaluation.baselines = try Baselines(
            model,
            training: training.map { model.information.prepare($0.image) },
            images: (data.splits[split] ?? []).map { (model.information.prepare($0.image), $0.label == normal) },
            seed: seed,
            workers: workers,
            isInterrupted: isInterrupted
        )
    }

    /// Writes the files to `folder`, which is created if it does not exist.
    ///
    /// Only dissolving.png and errors.png contain images of the data set.
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
        if let levels = scored.information.calibration.map({ scored.pValueCurve($0) }) {
            try ScorePlots.calibration(levels, title: title).write(to: "\(folder)/calibration.png")
        }
        try ErrorGallery.write(model, scored: scored, data: data, to: folder)
        try DissolvingGrid.write(model, data: data, split: scored.split, normal: normal, to: folder)
        let steps = DissolvingGrid.steps.map(String.init).joined(separator: ", ")
        let page = """
            # \(title)

            \(Model.notice)

            \(evaluation.text)

            ![ROC curve](roc.png)
            ![Normality of normal and anomalous images](histogram.png)
            ![Share of normal images by p-value](calibration.png)

            \(String(format: "%.1f", scored.imagesPerSecond)) images per second on the machine of this evaluation.

            `dissolving.png`, which is only stored with the data, shows three normal and three anomalous images, from
            left to right: the image itself and dissolved at \(steps). `errors.png` shows the \(ErrorGallery.count) normal
            images with the lowest normality and the \(ErrorGallery.count) anomalous images with the highest, with their
            heat maps. `scores.csv` has one line per image.

            """
        try write(page, to: "\(folder)/report.md")
    }

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
