import DIA
import Foundation
import ModelFile

/// The results of a model on one split of a data set.
public struct Evaluation: Sendable, Codable {
    /// The split.
    public var split: String
    /// The number of normal images.
    public var normals: Int
    /// The number of anomalous images.
    public var anomalies: Int
    /// The name of the score.
    public var method: String
    /// The area under the ROC curve.
    public var auroc: Double
    /// The 95% bootstrap interval of ``auroc``.
    public var aurocInterval: [Double]
    /// The area under the precision-recall curve.
    public var aupr: Double
    /// The false-positive rate at 95% true positives.
    public var fpr95: Double
    /// The AUROC of CSI's normality and of each part of a combined score.
    public var aurocByPart: [String: Double]
    /// The share of correct verdicts at the threshold; nil without a threshold.
    public var accuracy: Double?
    /// The share of normal images that are reported as anomalous; nil without a threshold.
    public var falsePositiveRate: Double?
    /// The 95% interval of ``falsePositiveRate`` (Wilson score interval).
    public var falsePositiveInterval: [Double]?
    /// The share of anomalous images that are reported as anomalous; nil without a threshold.
    public var sensitivity: Double?
    /// The target false-positive rate of the calibration.
    public var alpha: Double?
    /// The true-positive rate at several false-positive rates on the normal images of this split.
    public var sensitivityAtRates: [Rate]?
    /// The share of normal images with a p-value of at most each level, which should be the level; nil without a
    /// calibration.
    public var falsePositivesAtLevels: [Rate]?
    /// The shares of normal and of anomalous images that are atypical; nil without input statistics.
    public var atypicalNormals, atypicalAnomalies: Double?
    /// The AUROC over pixels of each kind of heat map; nil unless there are images with masks.
    public var pixelAUROC: [String: Double]?
    /// What simpler scores reach; nil without training images.
    public var baselines: Baselines?

    /// A rate as a function of another one.
    public struct Rate: Sendable, Codable {
        /// The rate or level that is given.
        public var at: Double
        /// The rate that results.
        public var rate: Double
    }

    /// The false-positive rates and levels of the lists.
    private static let rates = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]

    enum CodingKeys: String, CodingKey {
        case split, normals, anomalies, method, auroc, aupr, fpr95, accuracy, sensitivity, alpha, baselines
        case sensitivityAtRates = "sensitivity_at_false_positive_rate"
        case falsePositivesAtLevels = "false_positive_rate_at_p_value"
        case pixelAUROC = "pixel_auroc"
        case atypicalNormals = "atypical_normals"
        case atypicalAnomalies = "atypical_anomalies"
        case aurocInterval = "auroc_interval_95"
        case aurocByPart = "auroc_by_part"
        case falsePositiveRate = "false_positive_rate"
        case falsePositiveInterval = "false_positive_interval_95"
    }

    /// Computes the results of `scored`; `seed` seeds the bootstrap.
    public init(_ scored: ScoredSplit, seed: UInt64 = 0) {
        let (normal, anomalous) = scored.values(\.normality)
        let metrics = scored.metrics(\.normality)
        let interval = metrics.aurocInterval(seed: seed)
        split = scored.split.rawValue
        (normals, anomalies) = (normal.count, anomalous.count)
        method = scored.information.manifest.score.method
        auroc = metrics.auroc
        aurocInterval = [interval.low, interval.high]
        aupr = metrics.aupr
        fpr95 = metrics.falsePositiveRateAt95
        aurocByPart = ["csi": scored.metrics(\.csi.normality).auroc]
        for (index, part) in scored.information.parts.enumerated() {
            aurocByPart[part.name] = scored.metrics { $0.parts[index] }.auroc
        }
        sensitivityAtRates = Self.rates.map { Rate(at: $0, rate: metrics.sensitivity(atFalsePositiveRate: $0)) }
        if let calibration = scored.information.calibration {
            let pValues = normal.map { calibration.pValue($0) }
            falsePositivesAtLevels = Self.rates.map { level in
                Rate(at: level, rate: Double(pValues.count { $0 <= level }) / Double(pValues.count))
            }
        }
        if scored.information.inputCheck != nil {
            func share(_ isNormal: Bool) -> Double {
                let entries = scored.entries.filter { $0.isNormal == isNormal }
                return Double(entries.count { $0.check?.isTypical == false }) / Double(entries.count)
            }
            (atypicalNormals, atypicalAnomalies) = (share(true), share(false))
        }
        guard let calibration = scored.information.calibration, let threshold = calibration.threshold else { return }
        let falsePositives = normal.count { $0 < threshold }
        let truePositives = anomalous.count { $0 < threshold }
        let chance = DetectionMetrics.wilsonInterval(falsePositives, of: normals)
        alpha = calibration.alpha
        falsePositiveRate = Double(falsePositives) / Double(normals)
        falsePositiveInterval = [chance.low, chance.high]
        sensitivity = Double(truePositives) / Double(anomalies)
        accuracy = Double(normals - falsePositives + truePositives) / Double(normals + anomalies)
    }

    /// The results as text, for a terminal and for report.md.
    public var text: String {
        func percent(_ value: Double?) -> String { value.map { String(format: "%.1f%%", $0 * 100) } ?? "no threshold" }
        func figure(_ value: Double) -> String { String(format: "%.4f", value) }
        let falsePositives =
            falsePositiveInterval.map {
                "\(percent(falsePositiveRate)) (95% interval \(percent($0[0])) to \(percent($0[1])); alpha \(percent(alpha)))"
            } ?? "no threshold"
        let parts = aurocByPart.sorted { $0.key < $1.key }.map { "| AUROC of \($0.key) alone | \(figure($0.value)) |" }
        var more: [String] = []
        if let sensitivityAtRates {
            let list = sensitivityAtRates.map { "\(percent($0.rate)) at \(percent($0.at))" }
            more.append("| sensitivity at a false-positive rate on these images | \(list.joined(separator: ", ")) |")
        }
        if let falsePositivesAtLevels {
            let list = falsePositivesAtLevels.map { "\(percent($0.rate)) at \(percent($0.at))" }
            more.append("| normal images with a p-value of at most | \(list.joined(separator: ", ")) |")
        }
        if let atypicalNormals, let atypicalAnomalies {
            more.append(
                "| atypical input | \(percent(atypicalNormals)) of normal, \(percent(atypicalAnomalies)) of anomalous |"
            )
        }
        for (kind, area) in (pixelAUROC ?? [:]).sorted(by: { $0.key < $1.key }) {
            more.append("| AUROC of pixels, heat map of=\(kind) | \(figure(area)) |")
        }
        if let baselines {
            more.append("| baseline: AUROC of the 5 nearest training images | \(figure(baselines.floor)) |")
            more.append("| baseline: AUROC with an untrained encoder | \(figure(baselines.untrainedEncoder)) |")
        }
        return """
            | metric | value |
            | --- | --- |
            | split | \(split): \(normals) normal, \(anomalies) anomalous |
            | AUROC, \(method) | \(figure(auroc)) (95% interval \(figure(aurocInterval[0])) to \(figure(aurocInterval[1]))) |
            | AUPR | \(figure(aupr)) |
            | false positives at 95% true positives | \(percent(fpr95)) |
            | accuracy at the threshold | \(percent(accuracy)) |
            | sensitivity at the threshold | \(percent(sensitivity)) |
            | normal images reported as anomalous | \(falsePositives) |
            \((parts + more).joined(separator: "\n"))
            """
    }

    /// The results as a member of the manifest.
    var json: JSONValue {
        get throws { try JSONDecoder().decode(JSONValue.self, from: JSONEncoder().encode(self)) }
    }
}
