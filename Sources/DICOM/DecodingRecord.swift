import FoundationEssentials
import Imaging

/// One part of the answer of the decoding process: a kind, a length and as many bytes.
///
/// The order is: metadata, the attributes of the study if wanted, then for each frame its header and its samples, then the end; or an error at any place.
enum DecodingRecord {
    enum Kind: UInt8 {
        case metadata = 1
        case frame = 2
        case samples = 3
        case error = 4
        case end = 5
        case study = 6
    }

    /// The kind and the length.
    static let headerSize = 9
    /// The limit of all records but samples.
    static let maximumJSON = 1 << 20

    /// The header of a frame's samples.
    struct Frame: Codable, Sendable {
        var height, width: Int
        var record: RenderingRecord
    }

    static func header(_ kind: Kind, length: Int) -> [UInt8] {
        [kind.rawValue] + (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
    }

    /// A record without samples.
    static func encode(_ kind: Kind, _ value: some Encodable) throws -> [UInt8] {
        let json = try [UInt8](JSONEncoder().encode(value))
        return header(kind, length: json.count) + json
    }

    /// Reads a header; nil if its kind is unknown or its length is longer than `maximumSamples` bytes, or too long for JSON.
    static func parse(_ bytes: [UInt8], maximumSamples: Int) -> (kind: Kind, length: Int)? {
        guard bytes.count == headerSize, let kind = Kind(rawValue: bytes[0]) else { return nil }
        let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[1 + $1]) << UInt64(8 * $1) }
        guard length <= UInt64(kind == .samples ? maximumSamples : maximumJSON) else { return nil }
        return (kind, Int(length))
    }
}
