/// The shape of one image's activations: rows x columns x channels, channels innermost (NHWC).
///
/// The layout is the same everywhere in the engine; a vector is a plane of one pixel.
public struct PlaneShape: Sendable, Hashable {
    /// Rows, columns and channels, each at least one.
    public let height, width, channels: Int

    /// A plane of `height` x `width` pixels.
    public init(height: Int, width: Int, channels: Int) {
        precondition(height > 0 && width > 0 && channels > 0, "no plane: \(height)x\(width)x\(channels)")
        self.height = height
        self.width = width
        self.channels = channels
    }

    /// A vector of `channels` numbers.
    public init(vector channels: Int) { self.init(height: 1, width: 1, channels: channels) }

    /// Pixels of an image.
    public var pixels: Int { height * width }
    /// Floats of an image.
    public var count: Int { height * width * channels }
}
