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
    /// The number of copies aimed at, with one to four copies of each image.
    private static let copies = 1000

    /// Returns how often each of `count` images is varied.
    static func copies(of count: Int) -> Int { min(4, max(1, (copies + count - 1) / count)) }

    /// Returns a randomly varied copy of `image`, of the same size.
    static func copy(of image: Image, using generator: inout some RandomNumberGenerator) -> Image {
        let exponent = Float(
            exp(Double.random(in: log(gamma.lowerBound)...log(gamma.upperBound), using: &generator))
        )
        var result = image
        for index in result.samples.indices { result.samples[index] = pow(max(result.samples[index], 0), exponent) }
        let mean = result.samples.reduce(0, +) / Float(result.samples.count)
        let (contrast, brightness) = (
            Float.random(in: contrast, using: &generator), Float.random(in: brightness, using: &generator)
        )
        for index in result.samples.indices {
            let value = ((result.samples[index] - mean) * contrast + mean) * brightness
            result.samples[index] = min(max(value, 0), 1)
        }
        func cut() -> Double { Double.random(in: 0...border, using: &generator) }
        let (top, left, bottom, right) = (cut(), cut(), cut(), cut())
        let crop = Crop(top: top, left: left, height: 1 - top - bottom, width: 1 - left - right)
        return crop(result)
    }
}
