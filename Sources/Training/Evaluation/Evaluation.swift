public import DIA
import Foundation
import ModelFile

/// A model's figures on one split of a data set.
public struct Evaluation: Sendable, Codable {
    /// The split, and how many images of each kind it has.
    public var split: String
    /// Normal images.
    public var normals: Int
    /// Anomalous images.
    public var anomalies: Int
    /// The area under the ROC curve and its 95% bootstrap interval.
    public var auroc: Double
    /// The 95% bootstrap interval of ``auroc``.
    public var aurocInterval: [Double]
    /// The area under the precision-recall curve.
    public var aupr: Double
    /// The false-positive rate at 95% true positives.
    public var fpr95: Double
    /// The share of right verdicts at the threshold; nil without one.
    public var accuracy: Double?
    /// The share of normal images called anomalous; nil without a threshold.
    public var falsePositiveRate: Double?
    /// The share of anomalous images called so; nil without a threshold.
    public var sensitivity: Double?
    /// The share of normal images that may be called anomalous.
    public var alpha: Double?

    enum CodingKeys: String, CodingKey {
        case split, normals, anomalies, auroc, aupr, fpr95, accuracy, sensitivity, alpha
        case aurocInterval = "auroc_interval_95"
        case falsePositiveRate = "false_positive_rate"
    }

    /// Scores every image of `split` with `model`; labels other than `normal` are anomalous.
    public static func run(
        _ model: Model,
        data: DataSet,
        split: DataSet.Split,
        normal: String,
        seed: UInt64 = 0
    ) throws -> Evaluation {
        let information = model.information
        let images = data.splits[split] ?? []
        var progress = Progress("evaluate \(split.rawValue)", total: images.count)
        var scores: [(normality: Double, isNormal: Bool)] = []
        for start in stride(from: 0, to: images.count, by: 8) {
            let part = images[start..<min(start + 8, images.count)]
            for (image, result) in zip(part, model.normality(part.map { information.prepare($0.image) })) {
                scores.append((result.normality, image.label == normal))
            }
            progress.update(scores.count)
        }
        let (normals, anomalies) = (scores.filter(\.isNormal), scores.filter { !$0.isNormal })
        guard !normals.isEmpty, !anomalies.isEmpty else {
            throw DataError(
                split.rawValue,
                "\(normals.count) normal and \(anomalies.count) other images, both are needed"
            )
        }
        let metrics = Metrics(normal: normals.map { -$0.normality }, anomalous: anomalies.map { -$0.normality })
        let interval = metrics.aurocInterval(seed: seed)
        var evaluation = Evaluation(
            split: split.rawValue,
            normals: normals.count,
            anomalies: anomalies.count,
            auroc: metrics.auroc,
            aurocInterval: [interval.low, interval.high],
            aupr: metrics.aupr,
            fpr95: metrics.falsePositiveRateAt95
        )
        if let calibration = information.calibration, let threshold = calibration.threshold {
            let falsePositives = normals.count { $0.normality < threshold }
            let truePositives = anomalies.count { $0.normality < threshold }
            evaluation.alpha = calibration.alpha
            evaluation.falsePositiveRate = Double(falsePositives) / Double(normals.count)
            evaluation.sensitivity = Double(truePositives) / Double(anomalies.count)
            evaluation.accuracy = Double(normals.count - falsePositives + truePositives) / Double(scores.count)
        }
        return evaluation
    }

    /// The figures in words, for a terminal and for report.md.
    public var text: String {
        func percent(_ value: Double?) -> String { value.map { String(format: "%.1f%%", $0 * 100) } ?? "no threshold" }
        func figure(_ value: Double) -> String { String(format: "%.4f", value) }
        return """
            | figure | value |
            | --- | --- |
            | split | \(split): \(normals) normal, \(anomalies) anomalous |
            | AUROC | \(figure(auroc)) (95% interval \(figure(aurocInterval[0])) to \(figure(aurocInterval[1]))) |
            | AUPR | \(figure(aupr)) |
            | false positives at 95% true positives | \(percent(fpr95)) |
            | accuracy at the threshold | \(percent(accuracy)) |
            | sensitivity at the threshold | \(percent(sensitivity)) |
            | normal images called anomalous | \(percent(falsePositiveRate)) (alpha \(percent(alpha))) |
            """
    }

    /// Writes report.json and report.md to `folder`.
    public func write(to folder: String, title: String) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try encoder.encode(self).write(to: URL(fileURLWithPath: "\(folder)/report.json"), options: .atomic)
        let page = "# \(title)\n\n\(Model.notice)\n\n\(text)\n"
        try Data(page.utf8).write(to: URL(fileURLWithPath: "\(folder)/report.md"), options: .atomic)
    }

    /// The figures as a manifest's member.
    var json: JSONValue {
        get throws { try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(self)) }
    }
}
