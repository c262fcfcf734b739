public import Imaging

/// What is done to an image before the encoder sees views of it, in training and in scoring.
public struct EncoderInput: Sendable, Hashable {
    /// The size of the encoder's images.
    public let height, width: Int
    /// Whether the histogram is equalized, so that exposure has no effect.
    public let equalizes: Bool

    /// Creates the preparation of images for an encoder of `height` x `width`.
    public init(height: Int, width: Int, equalizes: Bool) {
        self.height = height
        self.width = width
        self.equalizes = equalizes
    }

    /// Returns `image` as the encoder sees it.
    public func callAsFunction(_ image: Image) -> Image {
        let resized = image.resized(height: height, width: width)
        return equalizes ? resized.equalized : resized
    }
}
