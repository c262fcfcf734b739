/// How the samples of a pixel are to be read (PS3.3, C.7.6.3.1.2).
package enum PhotometricInterpretation: String, Sendable, Hashable {
    /// Gray; the lowest value is white.
    case monochrome1 = "MONOCHROME1"
    /// Gray; the lowest value is black.
    case monochrome2 = "MONOCHROME2"
    case paletteColor = "PALETTE COLOR"
    case rgb = "RGB"
    case ybrFull = "YBR_FULL"
    /// As YBR_FULL; uncompressed, each pair of pixels shares its color.
    case ybrFull422 = "YBR_FULL_422"
    /// JPEG 2000 with its irreversible color transformation, which the decoder undoes.
    case ybrICT = "YBR_ICT"
    /// JPEG 2000 with its reversible color transformation, which the decoder undoes.
    case ybrRCT = "YBR_RCT"

    /// The samples of a pixel.
    package var samplesPerPixel: Int {
        switch self {
        case .monochrome1, .monochrome2, .paletteColor: 1
        case .rgb, .ybrFull, .ybrFull422, .ybrICT, .ybrRCT: 3
        }
    }
}
