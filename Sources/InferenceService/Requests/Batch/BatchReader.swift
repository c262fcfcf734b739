import Codecs
import HTTP

/// Reads the images of a batch from a body that is still arriving.
struct BatchReader: Sendable {
    private let source: any BodySource
    private let decoder: InflateStream?
    private var parser: any BatchParser
    /// Reserves memory for bytes of the body; waits for it.
    private let reserve: @Sendable (Int) async throws(ServiceError) -> BatchMemory
    /// Memory for the bytes that have arrived of the next image, and their number.
    private var memory: [BatchMemory] = []
    private var reservedBytes = 0
    private var hasEnded = false

    /// Number of images that were returned.
    private(set) var count = 0

    /// Creates a reader of `source`, compressed with `coding`.
    init(
        _ source: any BodySource,
        _ format: BodyFormat?,
        _ coding: ContentCoding?,
        imageBytes: Int,
        reserve: @escaping @Sendable (Int) async throws(ServiceError) -> BatchMemory
    ) {
        self.source = source
        self.reserve = reserve
        decoder = coding.map { InflateStream($0 == .gzip ? .gzip : .deflate, ratio: ContentCoding.ratio) }
        parser = BatchInput.parser(format, imageBytes: imageBytes)
    }

    /// The label of an image that has none.
    var missingLabel: BatchInput.Label { parser.missingLabel }
    /// Number of fields of a form that are not images, so far.
    var otherFields: Int { parser.otherFields }

    /// An image of the batch, with its index, and the memory that it holds.
    struct Item: Sendable {
        let index: Int
        let entry: BatchInput.Entry
        let memory: BatchMemory
    }

    /// Returns the next image; nil at the end of the batch, when the whole body has been read.
    ///
    /// Throws an error if the rest of the body cannot be read, or if the batch has no image.
    mutating func next() async throws(ServiceError) -> Item? {
        while !hasEnded {
            guard !Task.isCancelled else { throw ServiceError(503, "the request was cancelled") }
            switch try parser.step() {
            case .entry(let entry):
                (memory, reservedBytes) = ([], 0)
                let item = Item(index: count, entry: entry, memory: try await reserve(entry.count))
                count += 1
                return item
            case .needsMore: try await readMore()
            case .end:
                hasEnded = true
                (memory, reservedBytes) = ([], 0)
                // An archive has a directory after its files.
                while try await nextBytes() != nil {}
                guard count > 0 else {
                    throw ServiceError(400, "the batch does not contain an image: \(BatchInput.hint)")
                }
            }
        }
        return nil
    }

    private mutating func readMore() async throws(ServiceError) {
        guard let bytes = try await nextBytes() else { return parser.append([], isLast: true) }
        let needed = parser.bufferedBytes + bytes.count
        if needed > reservedBytes {
            // Most images arrive in a single piece; the others grow in steps.
            let more = max(needed - reservedBytes, reservedBytes)
            memory.append(try await reserve(more))
            reservedBytes += more
        }
        parser.append(bytes, isLast: false)
    }

    /// Returns the next bytes of the body, decompressed; nil at the end.
    private func nextBytes() async throws(ServiceError) -> [UInt8]? {
        do throws(RequestError) {
            while let bytes = try await source.next() {
                guard let decoder else { return bytes }
                let content = try decompressed { () throws(DecompressionError) in try decoder.decompress(bytes) }
                if !content.isEmpty { return content }
            }
            try decompressed { () throws(DecompressionError) in try decoder?.finish() }
            return nil
        } catch {
            throw ServiceError(error)
        }
    }

    private func decompressed<Value>(
        _ work: () throws(DecompressionError) -> Value
    ) throws(RequestError) -> Value {
        do {
            return try work()
        } catch {
            if case .tooLarge = error { throw RequestError(413, error.description) }
            throw RequestError(400, error.description)
        }
    }
}
