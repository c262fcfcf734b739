/// An image with samples in [0, 1], rows x columns x channels, channels innermost.
public struct Image: Sendable, Hashable {
    /// The number of rows and columns.
    public let height, width: Int
    /// The number of channels: 1 for gray, 3 for red, green, blue.
    public let channels: Int
    /// `height * width * channels` samples.
    public var samples: [Float]

    /// Creates an image of `samples`, which must have `height * width * channels` elements.
    public init(height: Int, width: Int, channels: Int, samples: [Float]) {
        precondition(
            height > 0 && width > 0 && channels > 0 && samples.count == height * width * channels,
            "\(samples.count) samples, expected \(height)x\(width)x\(channels)"
        )
        self.height = height
        self.width = width
        self.channels = channels
        self.samples = samples
    }

    /// Creates an image of one color.
    public init(height: Int, width: Int, channels: Int, filledWith value: Float = 0) {
        let samples = Array(repeating: value, count: height * width * channels)
        self.init(height: height, width: width, channels: channels, samples: samples)
    }

    /// The sample at `row`, `column`, `channel`.
    public subscript(row: Int, column: Int, channel: Int = 0) -> Float {
        get { samples[(row * width + column) * channels + channel] }
        set { samples[(row * width + column) * channels + channel] = newValue }
    }

    /// Returns the image with `count` channels, 1 or 3.
    ///
    /// Color becomes gray with the luma of BT.601; gray is repeated in all channels.
    public func converted(toChannels count: Int) -> Image {
        switch (channels, count) {
        case (3, 1):
            let gray = (0..<height * width).map { pixel -> Float in
                let (red, green, blue) = (samples[3 * pixel], samples[3 * pixel + 1], samples[3 * pixel + 2])
                return 0.299 * red + 0.587 * green + 0.114 * blue
            }
            return Image(height: height, width: width, channels: 1, samples: gray)
        case (1, 3):
            return Image(height: height, width: width, channels: 3, samples: samples.flatMap { [$0, $0, $0] })
        default:
            precondition(channels == count, "cannot convert \(channels) to \(count) channels")
            return self
        }
    }

    /// The image mirrored horizontally.
    public var flipped: Image {
        var result = self
        for row in 0..<height {
            for column in 0..<width {
                for channel in 0..<channels { result[row, column, channel] = self[row, width - 1 - column, channel] }
            }
        }
        return result
    }

    /// Returns the image centered on a black background of `height` x `width`, which must not be smaller.
    public func padded(height: Int, width: Int) -> Image {
        var result = Image(height: height, width: width, channels: channels)
        result.paste(self, row: (height - self.height) / 2, column: (width - self.width) / 2)
        return result
    }

    /// Returns the center of the image, `height` x `width`; undoes ``padded(height:width:)``.
    public func cropped(height: Int, width: Int) -> Image {
        let (top, left) = ((self.height - height) / 2, (self.width - width) / 2)
        precondition(top >= 0 && left >= 0, "the crop is larger than the image")
        var result = Image(height: height, width: width, channels: channels)
        for row in 0..<height {
            let from = ((top + row) * self.width + left) * channels
            let to = row * width * channels
            result.samples.replaceSubrange(to..<to + width * channels, with: samples[from..<from + width * channels])
        }
        return result
    }

    /// Copies `image` into this one, with its first sample at `row`, `column`; it must fit.
    public mutating func paste(_ image: Image, row: Int, column: Int) {
        precondition(
            image.channels == channels && row >= 0 && column >= 0 && row + image.height <= height
                && column + image.width <= width,
            "the pasted image does not fit"
        )
        let length = image.width * channels
        for line in 0..<image.height {
            let to = ((row + line) * width + column) * channels
            samples.replaceSubrange(to..<to + length, with: image.samples[line * length..<(line + 1) * length])
        }
    }
}
