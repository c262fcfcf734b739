import Testing
import Training

@Suite struct DetectionMetricsTests {
    @Test("The AUROC counts correctly ordered pairs, and ties as half")
    func auroc() {
        #expect(DetectionMetrics(normal: [1, 2], anomalous: [3, 4]).auroc == 1)
        #expect(DetectionMetrics(normal: [3, 4], anomalous: [1, 2]).auroc == 0)
        #expect(DetectionMetrics(normal: [1, 1], anomalous: [1]).auroc == 0.5)
        // Ordered pairs: (2 > 1), (3 > 1), (4 > 1), (4 > 3); tied: (3 = 3).
        let expected = 4.5 / 6
        #expect(DetectionMetrics(normal: [1, 3], anomalous: [2, 3, 4]).auroc == expected)
    }

    @Test("The AUROC equals a count over all pairs", arguments: 1...5)
    func againstPairs(_ seed: Int) {
        let normal = (0..<37).map { Double(($0 * seed * 7) % 23) }
        let anomalous = (0..<29).map { Double(($0 * seed * 5) % 19 + 3) }
        let pairs = anomalous.reduce(0.0) { sum, a in
            sum + normal.reduce(0.0) { $0 + (a > $1 ? 1 : a == $1 ? 0.5 : 0) }
        }
        let expected = pairs / Double(37 * 29)
        #expect(abs(DetectionMetrics(normal: normal, anomalous: anomalous).auroc - expected) < 1e-12)
    }

    @Test("The AUPR is average precision")
    func aupr() {
        #expect(DetectionMetrics(normal: [1, 2], anomalous: [3, 4]).aupr == 1)
        // Ranked: anomalous, normal, anomalous: 1/2 · 1 + 1/2 · 2/3
        #expect(abs(DetectionMetrics(normal: [2], anomalous: [1, 3]).aupr - (0.5 + 1.0 / 3)) < 1e-12)
    }

    @Test("FPR95 is the share of normal images scored above the threshold that 95% of anomalies reach")
    func fpr95() {
        let anomalous = (1...20).map { Double($0) }
        #expect(DetectionMetrics(normal: [0, 1, 1.5, 2, 30], anomalous: anomalous).falsePositiveRateAt95 == 2.0 / 5)
    }

    @Test("The bootstrap interval contains the AUROC and is determined by its seed")
    func interval() {
        let metrics = DetectionMetrics(normal: (0..<60).map { Double($0) }, anomalous: (30..<90).map { Double($0) })
        let interval = metrics.aurocInterval(rounds: 500, seed: 1)
        #expect(interval.low < metrics.auroc && metrics.auroc < interval.high)
        #expect(interval.high - interval.low < 0.2)
        #expect(interval == metrics.aurocInterval(rounds: 500, seed: 1))
    }

    @Test("The ROC curve runs from (0, 0) to (1, 1), and the area under it is the AUROC")
    func roc() {
        let metrics = DetectionMetrics(normal: [0.1, 0.2, 0.2, 0.5, 0.9], anomalous: [0.2, 0.4, 0.5, 1.5])
        let curve = metrics.rocCurve
        #expect(curve.first.map { $0 == (0, 0) } == true && curve.last.map { $0 == (1, 1) } == true)
        let area = zip(curve, curve.dropFirst()).reduce(0.0) {
            $0 + ($1.1.falsePositives - $1.0.falsePositives) * ($1.1.truePositives + $1.0.truePositives) / 2
        }
        #expect(abs(area - metrics.auroc) < 1e-12)
    }
}
