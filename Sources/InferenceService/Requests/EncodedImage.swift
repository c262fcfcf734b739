/// A PNG as it came: its bytes, or base64 in a JSON text; slices of the request's body, not copies.
package enum EncodedImage: Sendable {
    case png(ArraySlice<UInt8>)
    case base64(JSONReader.StringToken)

    var isEmpty: Bool {
        switch self {
        case .png(let bytes): bytes.isEmpty
        case .base64(let text): text.bytes.isEmpty
        }
    }

    /// The memory that decoding base64 takes, at most.
    var decodedBytes: Int {
        switch self {
        case .png: 0
        case .base64(let text): text.bytes.count / 4 * 3 + 3
        }
    }

    /// The PNG's bytes, the first `maximum` of them at most; throws if the text is not base64.
    package func bytes(maximum: Int = .max) throws(ServiceError) -> ArraySlice<UInt8> {
        switch self {
        case .png(let bytes): return bytes.prefix(maximum)
        case .base64(let text):
            guard let bytes = Base64.decode(text, maximum: maximum) else {
                throw ServiceError(400, "the image is not valid base64 (RFC 4648)")
            }
            return bytes[...]
        }
    }
}
