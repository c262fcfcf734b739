import Codecs
import DIA
import HTTP
import Imaging
import ModelFile

/// The way of a request's body to an image as a model takes it.
struct ImageInput: Sendable {
    /// Pixels of an image that are accepted.
    let maximumPixels: Int
    /// Bytes of an image that are accepted, once unpacked.
    let maximumBytes: Int
    /// Where decoding, unpacking and encoding run.
    let pool: WorkPool
    private let budget: MemoryBudget

    init(maximumPixels: Int, maximumBytes: Int, threads: Int, budget: MemoryBudget) {
        self.maximumPixels = maximumPixels
        self.maximumBytes = maximumBytes
        self.budget = budget
        pool = WorkPool(threads: threads, budget: budget.work)
    }

    /// A body after its content coding is undone, and the memory counted for it, if it is not the request's own.
    struct Body: Sendable {
        let bytes: [UInt8]
        let memory: MemoryBudget.Reservation?
    }

    private static let hint = "send a PNG as image/png, or as the part 'image' of multipart/form-data"

    /// How an image comes; an error if its head lacks what it must have.
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: ["image/png", "multipart/form-data"], hint: hint)
    }

    /// The PNG in `body`, the unpacked body of a request with `head`: all of it, or the one part called `image`.
    static func image(in body: [UInt8], _ head: RequestHead) throws(ServiceError) -> EncodedImage {
        guard case .multipart(let boundary) = try form(head) else {
            guard !body.isEmpty else { throw ServiceError(400, "the body is empty: \(hint)") }
            return .png(body[...])
        }
        let parts = try Self.parts(of: body, boundary)
        guard parts.count == 1, parts[0].name == "image" else {
            throw ServiceError(400, "one part called 'image' is expected, \(parts.count) parts came")
        }
        guard !parts[0].body.isEmpty else { throw ServiceError(400, "the part 'image' is empty") }
        return .png(parts[0].body)
    }

    /// The parts of a multipart/form-data body.
    static func parts(of body: [UInt8], _ boundary: String) throws(ServiceError) -> [Multipart.Part] {
        do { return try Multipart.parse(body, boundary: boundary) } catch { throw ServiceError(error) }
    }

    static var shortOfMemory: ServiceError {
        ServiceError(
            503,
            "the server is short of memory for requests; try again in 1 s",
            headers: ["Retry-After": "1"]
        )
    }

    /// The body of `request`, unpacked.
    func body(of request: Request, _ deadline: ContinuousClock.Instant?) async throws -> Body {
        guard try ContentCoding.isPacked(request.head) else { return Body(bytes: request.body, memory: nil) }
        let (limit, ratio) = (maximumBytes, ContentCoding.ratio)
        let most = Gzip.limit(limit, count: request.body.count, ratio: ratio)
        let packed = request.body
        let result: Result<[UInt8], GzipError> = try await pool.run(cost: most / 4, bytes: most, deadline: deadline) {
            context in
            Result { () throws(GzipError) in
                try Gzip.decompress(packed, limit: limit, ratio: ratio, isCancelled: { context.isCancelled })
            }
        }
        do {
            let bytes = try result.get()
            guard let memory = budget.buffers.reserve(bytes.count) else { throw Self.shortOfMemory }
            return Body(bytes: bytes, memory: memory)
        } catch let error as ServiceError {
            throw error
        } catch let error as GzipError {
            switch error {
            case .invalid: throw ServiceError(400, error.description)
            case .tooLarge: throw ServiceError(413, error.description)
            case .cancelled: throw WorkPool.Refusal.cancelled
            }
        }
    }

    /// What an answer shows of the image itself, in its own size.
    struct Shown: Sendable {
        /// Channels of the image as it is shown, 1 or 3.
        let channels: Int
        /// Whether the image itself is needed.
        let isKept: Bool
        /// Bytes of an answer for each pixel of the image.
        let answerBytesPerPixel: Int
        /// Images of the model's size that are stretched to the image's.
        let stretched: Int
    }

    /// `image` decoded for `model`, row by row, and what `shown` asks for of it.
    func prepare(
        _ image: EncodedImage,
        for model: Model.Information,
        shown: Shown?,
        deadline: ContinuousClock.Instant?
    ) async throws -> PreparedImage {
        let maximumPixels = maximumPixels
        var (height, width, pixels) = (0, 0, 0)
        switch image.promisedSize {
        // What promises more than is accepted is refused by its header.
        case .known(let rows, let columns) where rows * columns <= maximumPixels:
            (height, width, pixels) = (rows, columns, rows * columns)
        case .known, .none: break
        case .hidden: (height, width, pixels) = (PNG.maximumSide, PNG.maximumSide, maximumPixels)
        }
        // A line of the file and its neighbors, resizing weights, libpng's and zlib's own; then the image itself.
        var bytes = 512 << 10 + image.decodedBytes + (height + width) * 128
        if let shown {
            // An answer of more pixels than are accepted is not made.
            bytes += min(
                pixels * ((shown.isKept ? shown.channels : 0) + shown.answerBytesPerPixel),
                InferenceService.workBytes(maximumPixels: maximumPixels)
            )
            bytes += shown.stretched * model.manifest.input.height * width * shown.channels * 4
        }
        let result: Result<PreparedImage, ServiceError> = try await pool.run(
            cost: pixels + image.decodedBytes / 4,
            bytes: bytes,
            deadline: deadline
        ) { context in
            Result { () throws(ServiceError) in
                try PreparedImage(image, for: model, shown: shown, maximumPixels: maximumPixels, context)
            }
        }
        return try result.get()
    }
}
