/// How a frame was rendered, so that it can be repeated.
public struct RenderingRecord: Codable, Sendable, Hashable {
    /// How values became brightness.
    public enum Method: String, Codable, Sendable, Hashable {
        /// A lookup table of the file.
        case voiLUT = "voi_lut"
        /// A window of the file or of the options.
        case window
        /// All values of the stored bits.
        case full
        /// An image of up to 8 bits as it is.
        case asIs = "as_is"
        /// From the lowest value of the frame to the highest.
        case minimumToMaximum = "min_max"
        /// The luma of a color image (Rec. 601).
        case luma
    }

    /// The transformation before the window.
    public enum Modality: Codable, Sendable, Hashable {
        /// None, or not applied.
        case none
        /// Multiplied by the slope, plus the intercept.
        case rescale(slope: Double, intercept: Double)
        /// A lookup table.
        case table
    }

    /// The number of the frame, from 1.
    public var frame: Int
    /// How values became brightness.
    public var method: Method
    /// The transformation before it.
    public var modality: Modality = .none
    /// The window, if one was used.
    public var window: Window?
    /// The values that became black and white (white and black if inverted), unless a table or a window says so.
    public var minimum, maximum: Double?
    /// Whether the image was inverted, as MONOCHROME1 requires.
    public var inverted = false
    /// The number of padding pixels, which became black.
    public var paddingPixels = 0
}
