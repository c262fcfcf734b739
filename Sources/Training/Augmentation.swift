import DIA
import Imaging

/// The random augmentation of each image in an encoder step (method, section 3): color jitter, conversion to gray,
/// and random resized crop.
struct Augmentation {
    /// The smallest area of a crop, relative to the image.
    let cropScale: Double
    /// The ranges of brightness, contrast and saturation, and of the hue as a fraction of a turn.
    let jitter, hue: Float
    /// The probabilities of color jitter and of conversion to gray.
    let jitterProbability, grayProbability: Double

    init(_ recipe: Recipe.Encoder) {
        cropScale = recipe.cropScale
        (jitter, hue) = (recipe.jitter, recipe.hue)
        (jitterProbability, grayProbability) = (recipe.jitterProbability, recipe.grayProbability)
    }

    func callAsFunction(_ image: Image, using generator: inout some RandomNumberGenerator) -> Image {
        var result = image
        if Double.random(in: 0..<1, using: &generator) < jitterProbability { jitter(&result, using: &generator) }
        if result.channels == 3, Double.random(in: 0..<1, using: &generator) < grayProbability {
            result = result.converted(toChannels: 1).converted(toChannels: 3)
        }
        return Crop.random(scale: cropScale...1, using: &generator)(result)
    }

    private func jitter(_ image: inout Image, using generator: inout some RandomNumberGenerator) {
        func factor() -> Float { Float.random(in: 1 - jitter...1 + jitter, using: &generator) }
        let (brightness, contrast) = (factor(), factor())
        // Saturation and hue have no effect on gray images.
        if image.channels == 3 {
            let (saturation, turn) = (factor(), Float.random(in: -hue...hue, using: &generator))
            Self.recolor(&image, saturation: saturation, turn: turn)
        }
        image.adjust(contrast: contrast, brightness: brightness)
    }

    /// Scales the saturation and rotates the hue by `turn`, a fraction of the circle.
    private static func recolor(_ image: inout Image, saturation: Float, turn: Float) {
        for pixel in stride(from: 0, to: image.samples.count, by: 3) {
            var (hue, chroma, value) = toHSV(image.samples[pixel], image.samples[pixel + 1], image.samples[pixel + 2])
            chroma = min(chroma * saturation, 1)
            hue += turn * 6
            hue -= (hue / 6).rounded(.down) * 6
            for (offset, shift) in [(0, Float(5)), (1, 3), (2, 1)] {
                let k = (shift + hue).truncatingRemainder(dividingBy: 6)
                image.samples[pixel + offset] = value - value * chroma * max(0, min(k, 4 - k, 1))
            }
        }
    }

    /// Converts to hue in [0, 6), and saturation and value in [0, 1].
    private static func toHSV(_ red: Float, _ green: Float, _ blue: Float) -> (Float, Float, Float) {
        let (high, low) = (max(red, green, blue), min(red, green, blue))
        let range = high - low
        guard range > 0 else { return (0, 0, high) }
        let hue =
            high == red
            ? (green - blue) / range : high == green ? 2 + (blue - red) / range : 4 + (red - green) / range
        return (hue < 0 ? hue + 6 : hue, range / high, high)
    }
}

extension Image {
    /// Scales the differences from the mean by `contrast`, then all samples by `brightness`; the result is in [0, 1].
    mutating func adjust(contrast: Float, brightness: Float) {
        let mean = samples.reduce(0, +) / Float(samples.count)
        for index in samples.indices {
            let value = ((samples[index] - mean) * contrast + mean) * brightness
            samples[index] = min(max(value, 0), 1)
        }
    }
}
