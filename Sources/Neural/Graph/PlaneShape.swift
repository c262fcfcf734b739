/// The shape of the activations of one image: rows x columns x channels, channels innermost (NHWC).
///
/// The whole engine uses this layout. A vector is a plane of one pixel.
public struct PlaneShape: Sendable, Hashable {
    /// The number of rows, columns and channels, each at least 1.
    public let height, width, channels: Int

    /// Creates a plane of `height` x `width` pixels.
    public init(height: Int, width: Int, channels: Int) {
        precondition(height > 0 && width > 0 && channels > 0, "invalid plane: \(height)x\(width)x\(channels)")
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// Creates a vector of `channels` numbers.
    public init(vector channels: Int) { self.init(height: 1, width: 1, channels: channels) }

    /// The number of pixels in an image.
    public var pixels: Int { height * width }
    /// The number of floats in an image.
    public var count: Int { height * width * channels }
}
