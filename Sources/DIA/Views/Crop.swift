import Glibc
public import Imaging

/// A part of an image that is resized to the full size, as in the random resized crop of the reference.
///
/// All values are relative to the sides of the image.
public struct Crop: Sendable, Hashable {
    /// The upper left corner and the size, all in [0, 1].
    public let top, left, height, width: Double

    /// The whole image.
    public static let whole = Crop(top: 0, left: 0, height: 1, width: 1)

    /// Creates a crop; all values are in [0, 1], and the crop is inside the image.
    public init(top: Double, left: Double, height: Double, width: Double) {
        self.top = top
        self.left = left
        self.height = height
        self.width = width
    }

    /// Returns a random crop at a uniformly random position.
    ///
    /// Its area is uniform in `scale` (relative to the image), and its aspect ratio is log-uniform in [3/4, 4/3].
    public static func random(scale: ClosedRange<Double>, using generator: inout some RandomNumberGenerator) -> Crop {
        for _ in 0..<10 {
            let area = Double.random(in: scale, using: &generator)
            let ratio = exp(Double.random(in: log(3.0 / 4.0)...log(4.0 / 3.0), using: &generator))
            let (width, height) = ((area * ratio).squareRoot(), (area / ratio).squareRoot())
            guard width <= 1, height <= 1 else { continue }
            return Crop(
                top: Double.random(in: 0...(1 - height), using: &generator),
                left: Double.random(in: 0...(1 - width), using: &generator),
                height: height,
                width: width
            )
        }
        return whole
    }

    /// Returns the crop of `image`, resized to the image's size: bilinear, with the border reflected (like
    /// `grid_sample` with reflection padding).
    public func callAsFunction(_ image: Image) -> Image {
        guard self != .whole else { return image }
        var samples: [Float] = []
        samples.reserveCapacity(image.samples.count)
        append(of: image, to: &samples)
        return Image(height: image.height, width: image.width, channels: image.channels, samples: samples)
    }

    /// Appends the samples of the crop of `image`.
    func append(of image: Image, to samples: inout [Float]) {
        guard self != .whole else {
            samples += image.samples
            return
        }
        let rows = Self.taps(image.height, start: top, share: height)
        let columns = Self.taps(image.width, start: left, share: width)
        let channels = image.channels
        for vertical in rows {
            let (upper, lower) = (vertical.first * image.width, vertical.second * image.width)
            for horizontal in columns {
                for channel in 0..<channels {
                    func sample(_ line: Int, _ place: Int) -> Float {
                        image.samples[(line + place) * channels + channel]
                    }
                    let above =
                        sample(upper, horizontal.first)
                        + horizontal.share * (sample(upper, horizontal.second) - sample(upper, horizontal.first))
                    let below =
                        sample(lower, horizontal.first)
                        + horizontal.share * (sample(lower, horizontal.second) - sample(lower, horizontal.first))
                    samples.append(above + vertical.share * (below - above))
                }
            }
        }
    }

    /// The two samples around each output position, and the weight of the second one.
    private static func taps(_ count: Int, start: Double, share: Double) -> [(first: Int, second: Int, share: Float)] {
        (0..<count).map { place in
            var position = start * Double(count) + (Double(place) + 0.5) * share - 0.5
            // Reflect at the outer edges of the border samples, then clamp to the samples.
            if position < -0.5 { position = -1 - position }
            if position > Double(count) - 0.5 { position = 2 * Double(count) - 1 - position }
            position = min(max(position, 0), Double(count - 1))
            let first = Int(position)
            return (first, min(first + 1, count - 1), Float(position - Double(first)))
        }
    }
}
