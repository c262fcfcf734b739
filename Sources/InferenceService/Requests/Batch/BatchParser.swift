import Codecs
import HTTP

/// What is found in the bytes of a batch that have arrived.
enum BatchStep {
    case entry(BatchInput.Entry)
    /// There are no more images.
    case end
    /// More bytes are needed.
    case needsMore
}

/// Finds the images in a batch as its bytes arrive.
protocol BatchParser: Sendable {
    /// The label of an image that has none.
    var missingLabel: BatchInput.Label { get }
    /// Number of fields of a form that are not images, so far.
    var otherFields: Int { get }
    /// Bytes that have arrived and were not read yet.
    var bufferedBytes: Int { get }
    /// Adds bytes of the body, decompressed.
    mutating func append(_ bytes: [UInt8], isLast: Bool)
    /// Returns the next image, with bytes of its own; throws if the rest of the body cannot be read.
    mutating func step() throws(ServiceError) -> BatchStep
}

extension BatchParser {
    var otherFields: Int { 0 }
}

/// A batch whose format is not declared: an archive, recognized by its first bytes.
struct UndeclaredParser: BatchParser {
    /// Bytes that are needed to recognize a tar archive.
    private static let signatureBytes = 512

    private let limit: Int
    private var start: [UInt8] = []
    private var isComplete = false
    private var archive: (any BatchParser)?

    init(limit: Int) { self.limit = limit }

    var missingLabel: BatchInput.Label { .filename(nil) }
    var bufferedBytes: Int { archive?.bufferedBytes ?? start.count }

    mutating func append(_ bytes: [UInt8], isLast: Bool) {
        if archive == nil { start += bytes } else { archive?.append(bytes, isLast: isLast) }
        isComplete = isLast
    }

    mutating func step() throws(ServiceError) -> BatchStep {
        if archive == nil {
            guard start.count >= Self.signatureBytes || isComplete else { return .needsMore }
            if ZipReader.recognizes(start) {
                archive = ArchiveParser(ZipReader(limit: limit, ratio: ContentCoding.ratio))
            } else if TarReader.recognizes(start) {
                archive = ArchiveParser(TarReader(limit: limit))
            } else {
                throw BatchInput.unsupported
            }
            archive?.append(start, isLast: isComplete)
            start = []
        }
        return try archive?.step() ?? .end
    }
}
