/// An image with 8 bits per sample, for display; it takes a quarter of the memory of an ``Image``.
public struct ByteImage: Sendable, Hashable {
    /// The number of rows and columns.
    public let height, width: Int
    /// The number of channels: 1 for gray, 3 for red, green, blue.
    public let channels: Int
    /// `height * width * channels` samples.
    public var samples: [UInt8]

    /// Creates a black image.
    public init(height: Int, width: Int, channels: Int) {
        (self.height, self.width, self.channels) = (height, width, channels)
        samples = [UInt8](repeating: 0, count: height * width * channels)
    }

    /// Converts a sample of an ``Image`` to a byte, rounded and clamped; NaN becomes 0.
    public static func byte(_ sample: Float) -> UInt8 { sample >= 0 ? UInt8(min(sample, 1) * 255 + 0.5) : 0 }
}
