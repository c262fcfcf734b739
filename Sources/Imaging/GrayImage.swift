/// A gray image with 16 bits per sample.
public struct GrayImage: Sendable, Hashable {
    /// The number of rows and columns.
    public let height, width: Int
    /// `height * width` samples, row by row; 0 is black, 65,535 is white.
    public let samples: [UInt16]

    /// Creates an image of `samples`, which must have `height * width` elements.
    public init(height: Int, width: Int, samples: [UInt16]) {
        precondition(
            height > 0 && width > 0 && samples.count == height * width,
            "\(samples.count) samples, expected \(height)x\(width)"
        )
        (self.height, self.width, self.samples) = (height, width, samples)
    }
}
