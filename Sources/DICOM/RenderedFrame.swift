public import Imaging

/// A frame as a gray image, and how it became one.
public struct RenderedFrame: Sendable, Hashable {
    /// The image.
    public let image: GrayImage
    /// How it was rendered.
    public let record: RenderingRecord
}
