import CPNG

extension PNG {
    /// A fault of a file that costs no pixel, and that common encoders produce.
    public enum Defect: String, Sendable, CaseIterable {
        case trailingBytes = "trailing_bytes"
        case extraData = "extra_data"
        case transparencyRange = "transparency_range"
        case transparencyWithAlpha = "transparency_with_alpha"
        case paletteInGray = "palette_in_gray"
        case smallWindow = "small_window"

        /// What is wrong, for the client.
        public var description: String {
            switch self {
            case .trailingBytes: "bytes after the end of the PNG (after IEND) were ignored"
            case .extraData: "data after the end of the compressed pixels (in IDAT) were ignored"
            case .transparencyRange: "the transparent color (tRNS) has more bits than the samples; they were masked"
            case .transparencyWithAlpha: "tRNS was ignored because the image has an alpha channel"
            case .paletteInGray: "the palette (PLTE) of a gray image was ignored"
            case .smallWindow: "the compressed pixels use a larger window than their header declares"
            }
        }

        /// The bit in the result of `dia_png_defects`.
        var bit: UInt32 {
            let constant =
                switch self {
                case .trailingBytes: DIA_PNG_TRAILING_BYTES
                case .extraData: DIA_PNG_EXTRA_DATA
                case .transparencyRange: DIA_PNG_TRANSPARENCY_RANGE
                case .transparencyWithAlpha: DIA_PNG_TRANSPARENCY_WITH_ALPHA
                case .paletteInGray: DIA_PNG_PALETTE_IN_GRAY
                case .smallWindow: DIA_PNG_SMALL_WINDOW
                }
            return UInt32(constant)
        }
    }
}
