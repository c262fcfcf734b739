package import Codecs

/// An encoded image: PNG bytes, base64 in a JSON string or a part of a form, or a compressed file in an archive; slices
/// of the request body, not copies.
package enum EncodedImage: Sendable {
    case png(ArraySlice<UInt8>)
    case base64(JSONReader.StringToken)
    case deflated(DeflatedFile)

    var isEmpty: Bool {
        switch self {
        case .png(let bytes): bytes.isEmpty
        case .base64(let text): text.bytes.isEmpty
        case .deflated(let file): file.count == 0
        }
    }

    /// Maximum bytes of memory to decode base64 or to decompress a file.
    var decodedBytes: Int {
        switch self {
        case .png: 0
        case .base64(let text): text.bytes.count / 4 * 3 + 3
        // The state of zlib too.
        case .deflated(let file): file.count + (64 << 10)
        }
    }

    /// Maximum bytes of a decoded pixel: 4 samples of 16 bits.
    static let maximumBytesPerPixel = 8

    /// Image size according to the first bytes.
    ///
    /// `heldBytes` is the memory for the decoded samples of an interlaced image, which are not in order (see
    /// ``PixelDigest``).
    enum DeclaredSize {
        case known(height: Int, width: Int, heldBytes: Int)
        /// The bytes are not a PNG, or the header is not acceptable.
        case none
        /// The first characters of the base64 text, or compressed bytes, do not contain enough of the file.
        case hidden
    }

    /// Image size in the PNG header; reads only the first bytes, so it takes constant time.
    var declaredSize: DeclaredSize {
        let head: [UInt8]
        switch self {
        case .png(let bytes): head = Array(bytes.prefix(29))
        case .base64(let text):
            let start = JSONReader.StringToken(bytes: text.bytes.prefix(512), hasEscapes: text.hasEscapes)
            guard let bytes = Base64.decode(start, maximum: 29), bytes.count == 29 else {
                return text.bytes.count > 512 ? .hidden : .none
            }
            head = bytes
        case .deflated(let file):
            guard let start = file.prefix(29) else { return .none }
            head = start
            guard head.count == min(29, file.count) else { return .hidden }
        }
        guard let (height, width) = PNG.declaredSize(head) else { return .none }
        // The last byte of IHDR, and the depth.
        let isInterlaced = head.count == 29 && head[28] != 0
        let bytesPerPixel = isInterlaced ? (head[24] == 16 ? Self.maximumBytesPerPixel : 4) : 0
        return .known(height: height, width: width, heldBytes: height * width * bytesPerPixel)
    }

    /// Returns the PNG's bytes; throws if the text is not valid base64, or the compressed file is damaged.
    package func bytes() throws(ServiceError) -> ArraySlice<UInt8> {
        switch self {
        case .png(let bytes): return bytes
        case .base64(let text):
            guard let bytes = Base64.decode(text) else {
                throw ServiceError(400, "the image is not valid base64 (RFC 4648)")
            }
            return bytes[...]
        case .deflated(let file):
            do { return try file.bytes()[...] } catch { throw ServiceError(error) }
        }
    }
}
