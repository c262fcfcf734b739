import Codecs
import Foundation
import HTTP

/// The way of a request's body to an image.
struct ImageInput: Sendable {
    /// Pixels of an image that are accepted.
    let maximumPixels: Int
    private let decoders: OperationQueue

    init(maximumPixels: Int, threads: Int) {
        self.maximumPixels = maximumPixels
        // Decoding may take long and must hold up neither the sockets nor the handlers.
        decoders = OperationQueue()
        decoders.maxConcurrentOperationCount = threads
    }

    /// The PNG bytes of `request`: its body, or its one part called `image`.
    func bytes(of request: Request) throws(ServiceError) -> ArraySlice<UInt8> {
        let hint = "send a PNG as image/png, or as the part 'image' of multipart/form-data"
        let framing = ["content-length", "transfer-encoding"]
        guard framing.contains(where: { !request.head.headers.all($0).isEmpty }) else {
            throw ServiceError(411, "the request has no body: \(hint), with its Content-Length")
        }
        let contentType = request.head.headers["content-type"] ?? ""
        if contentType.split(separator: ";").first?.trimmed.lowercased() == "image/png" {
            guard !request.body.isEmpty else { throw ServiceError(400, "the body is empty: \(hint)") }
            return request.body[...]
        }
        guard contentType.lowercased().hasPrefix("multipart/form-data") else {
            throw ServiceError(415, "the Content-Type is not understood: \(hint)")
        }
        guard let boundary = Multipart.boundary(of: contentType) else {
            throw ServiceError(400, "multipart/form-data needs a boundary of 1 to 70 characters")
        }
        let parts = try Multipart.parse(request.body, boundary: boundary)
        guard parts.count == 1, parts[0].name == "image" else {
            throw ServiceError(400, "one part called 'image' is expected, \(parts.count) parts came")
        }
        guard !parts[0].body.isEmpty else { throw ServiceError(400, "the part 'image' is empty") }
        return parts[0].body
    }

    /// What `prepare` makes of the decoded image, on a thread that may take its time; the decoded image itself,
    /// which may be large, lives no longer than that.
    func decode<Prepared: Sendable>(
        _ bytes: ArraySlice<UInt8>,
        prepare: @escaping @Sendable (PNG.Decoded) -> Prepared
    ) async throws(ServiceError) -> Prepared {
        let result: Result<Prepared, ServiceError> = await run {
            do throws(PNGError) {
                return .success(prepare(try PNG.decode(bytes, maximumPixels: maximumPixels)))
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
