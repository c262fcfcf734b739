import Foundation

/// The plots of an evaluation.
enum ScorePlots {
    /// The ROC curve: the true-positive rate over the false-positive rate.
    static func roc(_ metrics: DetectionMetrics, title: String) -> Chart {
        Chart(
            title: title,
            xLabel: "false-positive rate",
            yLabel: "true-positive rate",
            x: 0...1,
            y: 0...1,
            layers: [
                .line([(0, 0), (1, 1)], .gray),
                .line(metrics.rocCurve.map { (x: $0.falsePositives, y: $0.truePositives) }, .blue),
            ],
            legend: [(String(format: "AUROC %.3f", metrics.auroc), .blue)]
        )
    }

    /// The share of normal images with a p-value of at most each level; the diagonal is a perfect calibration.
    static func calibration(_ points: [(level: Double, share: Double)], title: String) -> Chart {
        Chart(
            title: title,
            xLabel: "p-value of at most",
            yLabel: "share of normals",
            x: 0...1,
            y: 0...1,
            layers: [
                .line([(0, 0), (1, 1)], .gray), .line(points.map { (x: $0.level, y: $0.share) }, .blue),
            ]
        )
    }

    /// The histograms of the normality of normal and of anomalous images, as shares of each kind, with the threshold.
    static func histogram(normal: [Double], anomalous: [Double], threshold: Double?, title: String) -> Chart {
        let all = (normal + anomalous).sorted()
        // Extreme values would compress the rest of the plot, so they are counted in the outer bars.
        let low = all[all.count / 200]
        let high = max(all[all.count - 1 - all.count / 200], low + 1e-6)
        let bins = 40
        func bars(_ values: [Double]) -> [(x: ClosedRange<Double>, y: Double)] {
            var counts = [Int](repeating: 0, count: bins)
            for value in values {
                let place = (value - low) / (high - low) * Double(bins)
                counts[Int(min(max(place, 0), Double(bins - 1)))] += 1
            }
            let width = (high - low) / Double(bins)
            return counts.enumerated().map { index, count in
                let start = low + Double(index) * width
                return (start...start + width, Double(count) / Double(values.count))
            }
        }
        let (first, second) = (bars(normal), bars(anomalous))
        let top = (first + second).map(\.y).max() ?? 1
        var layers: [Chart.Layer] = [.bars(first, .blue), .bars(second, .orange)]
        if let threshold { layers.append(.verticalLine(x: threshold, .black)) }
        return Chart(
            title: title,
            xLabel: "normality (research use only, not for diagnosis)",
            yLabel: "share of images",
            x: low...high,
            y: 0...top * 1.1,
            layers: layers,
            legend: [("normal", .blue), ("anomalous", .orange)] + (threshold == nil ? [] : [("threshold", .black)])
        )
    }
}
