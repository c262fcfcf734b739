import Codecs
import Foundation
import HTTP

/// The way of a request's body to an image.
struct ImageInput: Sendable {
    /// Pixels of an image that are accepted.
    let maximumPixels: Int
    /// Bytes of an image that are accepted, once unpacked.
    let maximumBytes: Int
    private let decoders: OperationQueue

    init(maximumPixels: Int, maximumBytes: Int, threads: Int) {
        self.maximumPixels = maximumPixels
        self.maximumBytes = maximumBytes
        // Decoding may take long and must hold up neither the sockets nor the handlers.
        decoders = OperationQueue()
        decoders.maxConcurrentOperationCount = threads
    }

    private static let hint = "send a PNG as image/png, or as the part 'image' of multipart/form-data"

    /// How an image comes; an error if its head lacks what it must have.
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyForm {
        try BodyForm.of(head, accepted: ["image/png", "multipart/form-data"], hint: hint)
    }

    /// The PNG bytes of `request`: its body, unpacked, or the one part of that called `image`.
    func bytes(of request: Request) async throws(ServiceError) -> ArraySlice<UInt8> {
        let body = try await unpacked(request)
        guard case .multipart(let boundary) = try Self.form(request.head) else {
            guard !body.isEmpty else { throw ServiceError(400, "the body is empty: \(Self.hint)") }
            return body[...]
        }
        let parts = try Multipart.parse(body, boundary: boundary)
        guard parts.count == 1, parts[0].name == "image" else {
            throw ServiceError(400, "one part called 'image' is expected, \(parts.count) parts came")
        }
        guard !parts[0].body.isEmpty else { throw ServiceError(400, "the part 'image' is empty") }
        return parts[0].body
    }

    /// The body of `request`, unpacked.
    func unpacked(_ request: Request) async throws(ServiceError) -> [UInt8] {
        guard try ContentCoding.isPacked(request.head) else { return request.body }
        let result: Result<[UInt8], GzipError> = await run {
            Result { () throws(GzipError) in
                try Gzip.decompress(request.body, limit: maximumBytes, ratio: ContentCoding.ratio)
            }
        }
        do {
            return try result.get()
        } catch {
            throw ServiceError(error == .invalid ? 400 : 413, error.description)
        }
    }

    /// What `prepare` makes of the decoded image, on a thread that may take its time; the decoded image itself,
    /// which may be large, lives no longer than that.
    func decode<Prepared: Sendable>(
        _ bytes: ArraySlice<UInt8>,
        asGray: Bool,
        prepare: @escaping @Sendable (PNG.Decoded) -> Prepared
    ) async throws(ServiceError) -> Prepared {
        let result: Result<Prepared, ServiceError> = await run {
            do throws(PNGError) {
                return .success(prepare(try PNG.decode(bytes, maximumPixels: maximumPixels, asGray: asGray)))
            } catch {
                if case .tooManyPixels = error { return .failure(ServiceError(413, error.description)) }
                return .failure(ServiceError(400, error.description))
            }
        }
        return try result.get()
    }

    /// Runs `work` on a decoder's thread.
    func run<Result: Sendable>(_ work: @escaping @Sendable () -> Result) async -> Result {
        await withCheckedContinuation { continuation in
            decoders.addOperation { continuation.resume(returning: work()) }
        }
    }
}
