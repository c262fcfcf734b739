import DIA
import Testing

@Suite struct CalibrationTests {
    private let values = (1...39).map { Double($0) }

    @Test("The p-value counts the calibration values less than or equal to the given one")
    func pValues() {
        let calibration = Calibration(normality: values.reversed(), alpha: 0.05)
        #expect(calibration.pValue(0.5) == 1.0 / 40)
        #expect(calibration.pValue(1) == 2.0 / 40)
        #expect(calibration.pValue(100) == 1)
    }

    @Test(
        "The threshold and the p-value give the same verdict",
        arguments: [0.01, 0.024, 0.025, 0.05, 0.1, 0.29, 0.5, 0.99]
    )
    func verdicts(_ alpha: Double) {
        for count in [1, 2, 18, 19, 20, 39, 99, 100, 181] {
            let calibration = Calibration(normality: (1...count).map { Double($0) }, alpha: alpha)
            for step in 0...2 * count + 2 {
                let value = Double(step) / 2
                let byThreshold = calibration.threshold.map { value < $0 } ?? false
                #expect(byThreshold == (calibration.pValue(value) <= alpha), "\(count) values, \(value)")
            }
        }
    }

    @Test("The threshold is the value at index floor(alpha (n + 1)) - 1, or nil if there are too few values")
    func threshold() {
        #expect(Calibration(normality: values, alpha: 0.05).threshold == 2)
        #expect(Calibration(normality: values, alpha: 0.025).threshold == 1)
        #expect(Calibration(normality: values, alpha: 0.024).threshold == nil)
        #expect(Calibration(normality: values, alpha: 0.024).score(3) == nil)
    }

    @Test("The score decreases with normality and is 0.5 at the threshold")
    func score() throws {
        let calibration = Calibration(normality: values, alpha: 0.05)
        #expect(calibration.score(2) == 0.5)
        // The median is 20 and the median absolute deviation is 10.
        #expect(abs(calibration.spread - 14.826) < 1e-12)
        let scores = try stride(from: -50.0, to: 80, by: 0.5).map { try #require(calibration.score($0)) }
        #expect(zip(scores, scores.dropFirst()).allSatisfy { $0 > $1 && (0...1).contains($0) })
    }

    @Test("Identical calibration values still give a defined score")
    func degenerate() {
        let calibration = Calibration(normality: Array(repeating: 3, count: 30), alpha: 0.05)
        #expect(calibration.score(3) == 0.5 && calibration.score(2) == 1 && calibration.score(4) == 0)
    }
}
