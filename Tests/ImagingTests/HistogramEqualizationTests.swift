import Foundation
import Imaging
import Testing

@Suite struct HistogramEqualizationTests {
    private func image(_ samples: [Float]) -> Image {
        Image(height: 1, width: samples.count, channels: 1, samples: samples)
    }

    @Test("Each sample becomes its rank in the image")
    func ranks() {
        let samples: [Float] = (0..<250).map { Float($0) / 255 }
        for (index, value) in image(samples).equalized.samples.enumerated() {
            #expect(abs(value - (Float(index) + 0.5) / 250) < 1e-5)
        }
        #expect(image([0.4, 0.4, 0.4]).equalized.samples == [0.5, 0.5, 0.5])
    }

    @Test("Changes of exposure have little effect", arguments: [0.7, 1.4])
    func exposure(gamma: Float) {
        // A smooth image, with levels of many samples.
        let samples: [Float] = (0..<10_000).map { 0.2 + 0.6 * (0.5 + 0.5 * sin(Float($0) / 37) * cos(Float($0) / 211)) }
        let (plain, changed) = (image(samples).equalized, image(samples.map { 0.8 * pow($0, gamma) }).equalized)
        #expect(zip(plain.samples, changed.samples).allSatisfy { abs($0 - $1) < 0.02 })
    }

    @Test("The order of samples is kept, and samples outside of the range are clamped")
    func order() {
        let samples: [Float] = [-1, 0, 0.1234, 0.1235, 0.5, 0.999, 1, 7]
        let result = image(samples).equalized.samples
        #expect(zip(result, result.dropFirst()).allSatisfy { $0 <= $1 })
        #expect(result[2] < result[3] && result.allSatisfy { (0...1).contains($0) })
        #expect(result[0] == result[1] && result[6] == result[7])
    }
}
