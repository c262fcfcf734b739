/// What of a file is rendered, and how.
public struct RenderingOptions: Codable, Sendable, Hashable {
    /// How values become brightness.
    ///
    /// Applies to monochrome images; color images have no window.
    public enum Mapping: Codable, Sendable, Hashable {
        /// The file's VOI LUT or window: the first, or the one with an index from 1, tables before windows.
        ///
        /// Without an index and without any in the file, images of up to 8 bits are taken as they are, and deeper ones are
        /// mapped from their minimum to their maximum.
        case voi(index: Int?)
        /// A window in values of the modality, LINEAR as in the standard.
        case window(center: Double, width: Double)
        /// All values of the stored bits; neither modality transformation nor window.
        case full
        /// Images of up to 8 bits as they are; deeper ones are an error.
        case none
    }

    /// Which frames are rendered.
    public enum Frames: Codable, Sendable, Hashable {
        /// The first.
        case first
        /// All, in their order.
        case all
        /// The one with a number from 1.
        case one(Int)
    }

    /// How values become brightness.
    public var mapping: Mapping
    /// The frames to render.
    public var frames: Frames
    /// The limit of the pixels of a frame.
    public var maximumPixels: Int

    /// Creates options; by default the file's first VOI LUT or window, of the first frame.
    public init(
        mapping: Mapping = .voi(index: nil),
        frames: Frames = .first,
        maximumPixels: Int = 100_000_000
    ) {
        (self.mapping, self.frames, self.maximumPixels) = (mapping, frames, maximumPixels)
    }
}
