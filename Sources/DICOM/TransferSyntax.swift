/// A transfer syntax, by how its frames are decoded.
struct TransferSyntax: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// Samples as they are.
        case native
        /// Samples as they are, in fragments.
        case encapsulated
        case rle
        case jpeg
        case jpegLS
        case jpeg2000
        case unsupported
    }

    let uid: String
    let name: String
    let kind: Kind

    private init(_ uid: String, _ name: String, _ kind: Kind) {
        (self.uid, self.name, self.kind) = (uid, name, kind)
    }

    /// The transfer syntax with a UID; an unknown one is unsupported.
    init(uid: String) {
        self = Self.known[uid] ?? Self(String(uid.prefix(64)), "unknown", .unsupported)
    }

    private static let known = Dictionary(uniqueKeysWithValues: all.map { ($0.uid, $0) })

    private static let all: [Self] = [
        Self("1.2.840.10008.1.2", "Implicit VR Little Endian", .native),
        Self("1.2.840.10008.1.2.1", "Explicit VR Little Endian", .native),
        Self("1.2.840.10008.1.2.1.98", "Encapsulated Uncompressed Explicit VR Little Endian", .encapsulated),
        Self("1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", .native),
        Self("1.2.840.10008.1.2.2", "Explicit VR Big Endian", .native),
        Self("1.2.840.10008.1.2.5", "RLE Lossless", .rle),
        Self("1.2.840.10008.1.2.4.50", "JPEG Baseline", .jpeg),
        Self("1.2.840.10008.1.2.4.51", "JPEG Extended", .jpeg),
        Self("1.2.840.10008.1.2.4.53", "JPEG Spectral Selection, Non-Hierarchical (Process 6 & 8)", .jpeg),
        Self("1.2.840.10008.1.2.4.55", "JPEG Full Progression, Non-Hierarchical (Process 10 & 12)", .jpeg),
        Self("1.2.840.10008.1.2.4.57", "JPEG Lossless, Non-Hierarchical", .jpeg),
        Self("1.2.840.10008.1.2.4.70", "JPEG Lossless, Non-Hierarchical, First-Order Prediction", .jpeg),
        Self("1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", .jpegLS),
        Self("1.2.840.10008.1.2.4.81", "JPEG-LS Near-Lossless", .jpegLS),
        Self("1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", .jpeg2000),
        Self("1.2.840.10008.1.2.4.91", "JPEG 2000", .jpeg2000),
        Self("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Multi-component Lossless", .unsupported),
        Self("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2 Multi-component", .unsupported),
        Self("1.2.840.10008.1.2.4.94", "JPIP Referenced", .unsupported),
        Self("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", .unsupported),
        Self("1.2.840.10008.1.2.4.100", "MPEG2 Main Profile / Main Level", .unsupported),
        Self("1.2.840.10008.1.2.4.101", "MPEG2 Main Profile / High Level", .unsupported),
        Self("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1", .unsupported),
        Self("1.2.840.10008.1.2.4.103", "MPEG-4 AVC/H.264 BD-compatible High Profile / Level 4.1", .unsupported),
        Self("1.2.840.10008.1.2.4.104", "MPEG-4 AVC/H.264 High Profile / Level 4.2 for 2D Video", .unsupported),
        Self("1.2.840.10008.1.2.4.105", "MPEG-4 AVC/H.264 High Profile / Level 4.2 for 3D Video", .unsupported),
        Self("1.2.840.10008.1.2.4.106", "MPEG-4 AVC/H.264 Stereo High Profile / Level 4.2", .unsupported),
        Self("1.2.840.10008.1.2.4.107", "HEVC/H.265 Main Profile / Level 5.1", .unsupported),
        Self("1.2.840.10008.1.2.4.108", "HEVC/H.265 Main 10 Profile / Level 5.1", .unsupported),
        Self("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", .unsupported),
        Self("1.2.840.10008.1.2.4.111", "JPEG XL JPEG Recompression", .unsupported),
        Self("1.2.840.10008.1.2.4.112", "JPEG XL", .unsupported),
        Self("1.2.840.10008.1.2.4.201", "High-Throughput JPEG 2000 Lossless", .unsupported),
        Self("1.2.840.10008.1.2.4.202", "High-Throughput JPEG 2000 with RPCL Options Lossless", .unsupported),
        Self("1.2.840.10008.1.2.4.203", "High-Throughput JPEG 2000", .unsupported),
        Self("1.2.840.10008.1.2.8.1", "Deflated Image Frame Compression", .unsupported),
    ]
}
