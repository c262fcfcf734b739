import Imaging

/// Where dissolving changed an image.
enum HeatMap {
    /// The change that is shown as the largest, at least: less than this is noise, not to be blown up.
    private static let floor: Float = 0.05

    /// How much each pixel changed, meaned over the channels: 1 where it changed most.
    static func of(_ image: Image, dissolved: Image) -> Image {
        let channels = image.channels
        let changes = (0..<image.height * image.width).map { pixel -> Float in
            let places = pixel * channels..<(pixel + 1) * channels
            return places.reduce(0) { $0 + abs(image.samples[$1] - dissolved.samples[$1]) } / Float(channels)
        }
        let most = max(floor, changes.max() ?? 0)
        return Image(height: image.height, width: image.width, channels: 1, samples: changes.map { $0 / most })
    }

    /// `map` in colours, from nothing over red to yellow, over a grey `image` of its size.
    static func overlay(_ map: Image, on image: Image) -> Image {
        let grey = image.converted(toChannels: 1)
        let samples = zip(map.samples, grey.samples).flatMap { heat, light -> [Float] in
            let cover = min(1, max(0, heat)) * 0.8
            // The hottest third turns from red to yellow.
            let green = min(1, max(0, heat * 3 - 2))
            return [light + (1 - light) * cover, light + (green - light) * cover, light * (1 - cover)]
        }
        return Image(height: map.height, width: map.width, channels: 3, samples: samples)
    }
}
