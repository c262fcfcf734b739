/// An image with 8 bits a sample, as it is shown: a quarter of an ``Image``'s memory.
public struct ByteImage: Sendable, Hashable {
    /// Rows and columns.
    public let height, width: Int
    /// 1 for gray, 3 for red, green, blue.
    public let channels: Int
    /// `height * width * channels` samples.
    public var samples: [UInt8]

    /// A black image.
    public init(height: Int, width: Int, channels: Int) {
        (self.height, self.width, self.channels) = (height, width, channels)
        samples = [UInt8](repeating: 0, count: height * width * channels)
    }

    /// A sample of an ``Image`` as a byte, rounded and clamped; 0 if it is not a number.
    public static func byte(_ sample: Float) -> UInt8 { sample >= 0 ? UInt8(min(sample, 1) * 255 + 0.5) : 0 }
}
