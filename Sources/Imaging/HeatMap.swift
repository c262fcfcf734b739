/// A map of the changes that dissolving makes to an image, or of where a score comes from.
package struct HeatMap: Sendable {
    /// The smallest change that is displayed as the maximum; smaller changes are noise and are not amplified.
    private static let floor: Float = 0.05
    /// The smallest contribution to a score that is displayed as the maximum.
    private static let contributionFloor: Float = 4

    private let map: Image

    /// Creates the map of `contributions` to a score, whose average is in standard deviations: positions up to 1 are not
    /// colored.
    package init(contributions: Image) {
        let maximum = max(Self.contributionFloor, contributions.samples.max() ?? 0)
        map = Image(
            height: contributions.height,
            width: contributions.width,
            channels: 1,
            samples: contributions.samples.map { max(0, $0 - 1) / (maximum - 1) }
        )
    }

    /// Creates the map of the change of each pixel, averaged over the channels and scaled to a maximum of 1.
    package init(_ image: Image, dissolved: Image) {
        var changes = image.changes(to: dissolved)
        let maximum = max(Self.floor, changes.samples.max() ?? 0)
        for index in changes.samples.indices { changes.samples[index] /= maximum }
        map = changes
    }

    /// Returns a function that computes the rows of the map, scaled to `height` x `width`.
    ///
    /// Without `image` the rows are gray. With it they are colored, from the gray `image` of that size over red to
    /// yellow.
    package func rows(over image: ByteImage?, height: Int, width: Int) -> (_ y: Int, _ row: inout [UInt8]) -> Void {
        let sampler = RowSampler(map, height: height, width: width)
        return { y, row in
            var heats = [Float](repeating: 0, count: width)
            sampler.sample(y, into: &heats)
            guard let image else {
                for column in 0..<width { row[column] = ByteImage.byte(heats[column]) }
                return
            }
            for column in 0..<width {
                let luminance = Float(image.samples[y * width + column]) / 255
                let color = Self.color(of: heats[column], over: luminance)
                row[3 * column] = ByteImage.byte(color.red)
                row[3 * column + 1] = ByteImage.byte(color.green)
                row[3 * column + 2] = ByteImage.byte(color.blue)
            }
        }
    }

    private static func color(of heat: Float, over luminance: Float) -> (red: Float, green: Float, blue: Float) {
        let opacity = min(1, max(0, heat)) * 0.8
        // The top third of the range goes from red to yellow.
        let green = min(1, max(0, heat * 3 - 2))
        return (
            luminance + (1 - luminance) * opacity, luminance + (green - luminance) * opacity, luminance * (1 - opacity)
        )
    }
}

extension Image {
    /// Returns the absolute change of each pixel to `other`, an image of the same size, averaged over the channels.
    package func changes(to other: Image) -> Image {
        let changes = (0..<height * width).map { pixel -> Float in
            let places = pixel * channels..<(pixel + 1) * channels
            return places.reduce(0) { $0 + abs(samples[$1] - other.samples[$1]) } / Float(channels)
        }
        return Image(height: height, width: width, channels: 1, samples: changes)
    }
}
