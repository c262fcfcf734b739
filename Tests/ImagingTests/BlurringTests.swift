import Imaging
import Testing

/// The filters that produce the negatives of the ablation.
@Suite struct BlurringTests {
    private var dot: Image {
        var image = Image(height: 15, width: 15, channels: 1)
        image[7, 7] = 1
        return image
    }

    @Test("A Gaussian blur keeps the sum, is symmetric and has the given deviation", arguments: [Float(0.5), 1, 1.7])
    func gaussian(_ deviation: Float) {
        let blurred = dot.blurred(deviation: deviation)
        #expect(abs(blurred.samples.reduce(0, +) - 1) < 1e-5)
        var variance: Float = 0
        for row in 0..<15 {
            for column in 0..<15 {
                #expect(abs(blurred[row, column] - blurred[column, row]) < 1e-6)
                #expect(abs(blurred[row, column] - blurred[14 - row, column]) < 1e-6)
                variance += blurred[row, column] * Float((row - 7) * (row - 7))
            }
        }
        #expect(abs(variance.squareRoot() - deviation) < 0.1 * deviation)
    }

    @Test("A median filter removes a dot and keeps an edge; both filters keep a constant")
    func median() {
        #expect(dot.medianFiltered(radius: 1).samples.allSatisfy { $0 == 0 })
        var edge = Image(height: 8, width: 8, channels: 1)
        for row in 0..<8 { for column in 4..<8 { edge[row, column] = 1 } }
        #expect(edge.medianFiltered(radius: 1).samples == edge.samples)
        let flat = Image(height: 5, width: 9, channels: 3, filledWith: 0.25)
        #expect(flat.medianFiltered(radius: 2).samples == flat.samples)
        #expect(flat.blurred(deviation: 1).samples.allSatisfy { abs($0 - 0.25) < 1e-6 })
    }
}
