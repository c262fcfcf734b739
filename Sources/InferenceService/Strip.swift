import Imaging

/// Images of one size side by side.
enum Strip {
    static func of(_ images: [Image]) -> Image {
        let first = images[0]
        var strip = Image(height: first.height, width: first.width * images.count, channels: first.channels)
        for (index, image) in images.enumerated() { strip.paste(image, row: 0, column: index * first.width) }
        return strip
    }
}
