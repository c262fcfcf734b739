import Codecs
import DIA
import HTTP
import Imaging
import ModelFile

/// Converts a request body to an image in the format of a model.
struct ImageInput: Sendable {
    /// Maximum pixels of an image.
    let maximumPixels: Int
    /// Maximum bytes of an image after decompression.
    let maximumBytes: Int
    /// Pool for decoding, decompression and encoding.
    let pool: WorkPool
    private let budget: MemoryBudget

    init(maximumPixels: Int, maximumBytes: Int, threads: Int, budget: MemoryBudget) {
        self.maximumPixels = maximumPixels
        self.maximumBytes = maximumBytes
        self.budget = budget
        pool = WorkPool(threads: threads, budget: budget.work)
    }

    /// A decompressed body, and the memory reserved for it if it is not the request's own.
    struct Body: Sendable {
        let bytes: [UInt8]
        let memory: MemoryBudget.Reservation?
    }

    private static let hint = "send a PNG as image/png, or as the part 'image' of multipart/form-data"

    /// Returns the format of an image; throws if the head is not acceptable.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: types, hint: hint)
    }

    private static let types = ["image/png", "multipart/form-data"]

    /// Returns the PNG in `body`, a decompressed body in `format`: all of it, or its one part named `image`; notes
    /// other parts in `context`.
    static func image(
        in body: [UInt8],
        _ format: BodyFormat?,
        _ context: inout RequestContext
    ) throws(ServiceError) -> EncodedImage {
        switch format {
        case .multipart(let boundary)?:
            let form = try ImageForm(body, boundary: boundary, hint: hint)
            guard form.images.count == 1 else {
                throw ServiceError(400, "expected one part named 'image', received \(form.images.count) of them")
            }
            guard !form.images[0].body.isEmpty else { throw ServiceError(400, "the part 'image' is empty") }
            context.ignore(fields: form.otherFields)
            return try EncodedImage(form.images[0])
        case .undeclared? where !body.starts(with: PNG.signature):
            throw BodyFormat.unsupported(types, hint: hint)
        default:
            guard !body.isEmpty else { throw ServiceError(400, "the body is empty: \(hint)") }
            return .png(body[...])
        }
    }

    static var shortOfMemory: ServiceError {
        ServiceError(
            503,
            "the server is short of memory for requests; try again in 1 s",
            headers: ["Retry-After": "1"]
        )
    }

    /// Returns the decompressed `body` of `request`, which may grow by the factor `ratio`.
    func decompressed(
        _ body: [UInt8],
        of request: AdmittedRequest,
        _ deadline: ContinuousClock.Instant?,
        ratio: Int = ContentCoding.ratio
    ) async throws -> Body {
        guard let coding = request.coding else { return Body(bytes: body, memory: nil) }
        let limit = maximumBytes
        let most = Gzip.limit(limit, count: body.count, ratio: ratio)
        let result: Result<[UInt8], DecompressionError> = try await pool.run(
            cost: most / 4,
            bytes: most,
            deadline: deadline
        ) {
            context in
            Result { () throws(DecompressionError) in
                try coding.decompress(body, limit: limit, ratio: ratio, isCancelled: { context.isCancelled })
            }
        }
        do {
            let bytes = try result.get()
            guard let memory = budget.buffers.reserve(bytes.count) else { throw Self.shortOfMemory }
            return Body(bytes: bytes, memory: memory)
        } catch let error as ServiceError {
            throw error
        } catch let error as DecompressionError {
            switch error {
            case .invalid: throw ServiceError(400, error.description)
            case .tooLarge: throw ServiceError(413, error.description)
            case .cancelled: throw WorkPool.Rejection.cancelled
            }
        }
    }

    /// What a response shows of the original image, in its own size.
    struct Shown: Sendable {
        /// Channels of the shown image, 1 or 3.
        let channels: Int
        /// Whether the original image is needed.
        let isKept: Bool
        /// Bytes of the response per pixel of the image.
        let responseBytesPerPixel: Int
        /// Number of images of the model's size that are resized to the image's size.
        let resizedImages: Int
    }

    /// Decodes `image` for `model`, row by row, and keeps what `shown` requires of it.
    func prepare(
        _ image: EncodedImage,
        for model: Model.Information,
        rendering: Rendering,
        shown: Shown?,
        deadline: ContinuousClock.Instant?
    ) async throws -> PreparedImage {
        let maximumPixels = maximumPixels
        var (height, width, pixels, heldBytes) = (0, 0, 0, 0)
        switch image.declaredSize {
        // An image above the limit is rejected because of its header.
        case .known(let rows, let columns, let held) where rows * columns <= maximumPixels:
            (height, width, pixels, heldBytes) = (rows, columns, rows * columns, held)
        case .known, .none: break
        case .hidden:
            (height, width, pixels) = (PNG.maximumSide, PNG.maximumSide, maximumPixels)
            heldBytes = maximumPixels * EncodedImage.maximumBytesPerPixel
        }
        // A row and its neighbors, resizing weights, and memory of libpng and zlib; then the image itself.
        var bytes = 512 << 10 + image.decodedBytes + (height + width) * 128
        if let shown {
            // A response with more pixels than the limit is not produced.
            bytes += min(
                pixels * ((shown.isKept ? shown.channels : 0) + shown.responseBytesPerPixel),
                InferenceService.workBytes(maximumPixels: maximumPixels)
            )
            bytes += shown.resizedImages * model.manifest.input.height * width * shown.channels * 4
        } else {
            bytes += heldBytes
        }
        let result: Result<PreparedImage, ServiceError> = try await pool.run(
            cost: pixels + image.decodedBytes / 4,
            bytes: bytes,
            deadline: deadline
        ) { context in
            Result { () throws(ServiceError) in
                try PreparedImage(
                    image,
                    for: model,
                    rendering: rendering,
                    shown: shown,
                    maximumPixels: maximumPixels,
                    context
                )
            }
        }
        return try result.get()
    }
}
