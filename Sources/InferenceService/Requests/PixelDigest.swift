import Codecs
import OpenSSL

/// SHA-256 of the decoded samples of an image, row by row from the top, before any rendering or compositing.
///
/// The samples of a pixel are those of ``Codecs/PNGReader/bytesPerPixel``.
struct PixelDigest {
    private let digest = SHA256Stream()
    private let width, bytesPerPixel: Int
    /// The samples of an interlaced image, whose pixels do not arrive in order; nil for others.
    private var whole: [UInt8]?

    /// Creates the digest of the image of `reader`.
    init(of reader: borrowing PNGReader) {
        (width, bytesPerPixel) = (reader.header.width, reader.bytesPerPixel)
        whole = reader.isInterlaced ? [UInt8](repeating: 0, count: reader.header.height * width * bytesPerPixel) : nil
    }

    /// Appends the samples of the pixels at `columns` of row `y`.
    mutating func append(_ samples: Span<UInt8>, at y: Int, _ columns: StrideTo<Int>) {
        guard whole != nil else { return digest.append(samples) }
        var place = 0
        for column in columns {
            let start = (y * width + column) * bytesPerPixel
            for byte in 0..<bytesPerPixel { whole?[start + byte] = samples[place + byte] }
            place += bytesPerPixel
        }
    }

    /// Returns the digest in lowercase hexadecimal.
    func finish() -> String {
        if let whole { digest.append(whole.span) }
        return SHA256.hexadecimal(digest: digest.finish())
    }
}
