/// What a file says about its image.
package struct ImageProperties: Sendable, Hashable {
    /// "PNG", "JPEG" or "npz".
    package var format: String
    /// The number of columns and rows.
    package var width, height: Int
    /// The number of bits per sample, or per palette index.
    package var bitDepth: Int
    /// The color type: "gray", "gray-alpha", "rgb", "rgb-alpha" or "palette".
    package var color: String
}

/// The number of channels, rows and columns that images are converted to while they are read.
public struct ImageSize: Sendable, Hashable {
    /// 1 for gray, 3 for color.
    public var channels: Int
    /// The number of rows and columns.
    public var height, width: Int

    /// Creates a size.
    public init(channels: Int, height: Int, width: Int) {
        (self.channels, self.height, self.width) = (channels, height, width)
    }
}
