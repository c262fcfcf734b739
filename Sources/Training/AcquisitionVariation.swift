import DIA
import Glibc
import Imaging

/// Random changes that the acquisition of an image can make and that have nothing to do with disease: exposure, contrast,
/// brightness, and framing.
enum AcquisitionVariation {
    /// The range of the exponent of the gray levels.
    private static let gamma = 0.7...1.4
    /// The ranges of the factors of the differences from the mean, and of all gray levels.
    private static let contrast: ClosedRange<Float> = 0.8...1.2
    private static let brightness: ClosedRange<Float> = 0.85...1.15
    /// The largest share of the image that is cut off at each border.
    private static let border = 1.0 / 16
    /// Returns a randomly varied copy of `image`, of the same size.
    static func copy(of image: Image, using generator: inout some RandomNumberGenerator) -> Image {
        let exponent = Float(
            exp(Double.random(in: log(gamma.lowerBound)...log(gamma.upperBound), using: &generator))
        )
        var result = image
        for index in result.samples.indices { result.samples[index] = pow(max(result.samples[index], 0), exponent) }
        let (contrast, brightness) = (
            Float.random(in: contrast, using: &generator), Float.random(in: brightness, using: &generator)
        )
        result.adjust(contrast: contrast, brightness: brightness)
        func cut() -> Double { Double.random(in: 0...border, using: &generator) }
        let (top, left, bottom, right) = (cut(), cut(), cut(), cut())
        let crop = Crop(top: top, left: left, height: 1 - top - bottom, width: 1 - left - right)
        return crop(result)
    }
}

extension Recipe.Score {
    /// The number of varied copies aimed at, with one to four copies of each image.
    private static let variedCopies = 1000

    /// Returns how often each of `count` images of the bank is varied for a score of `parts`; 0 if it has no density.
    func variedCopies(of count: Int, for parts: [ScoreComponent]) -> Int {
        guard variation > 0, parts.contains(where: \.isDensity) else { return 0 }
        return min(4, max(1, (Self.variedCopies + count - 1) / count))
    }
}
