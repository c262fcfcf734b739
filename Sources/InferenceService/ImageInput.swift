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

    /// How the image comes.
    private enum Form {
        case png
        case multipart(boundary: String)
    }

    /// What the head of a request with an image must have.
    static func check(_ head: RequestHead) throws(ServiceError) {
        guard head.headers.contains("content-length") || head.headers.contains("transfer-encoding") else {
            throw ServiceError(411, "the request has no body: \(hint), with its Content-Length")
        }
        _ = try form(head)
    }

    private static func form(_ head: RequestHead) throws(ServiceError) -> Form {
        let contentType = head.headers["content-type"] ?? ""
        let type = contentType.split(separator: ";").first?.trimmed.lowercased()
        if type == "image/png" { return .png }
        guard type == "multipart/form-data" else {
            throw ServiceError(415, "the Content-Type is not understood: \(hint)", headers: ["Accept": accepted])
        }
        guard let boundary = Multipart.boundary(of: contentType) else {
            throw ServiceError(400, "multipart/form-data needs a boundary of 1 to 70 characters")
        }
        return .multipart(boundary: boundary)
    }

    private static let accepted = "image/png, multipart/form-data"

    /// The PNG bytes of `request`: its body, unpacked, or the one part of that called `image`.
    func bytes(of request: Request) async throws(ServiceError) -> ArraySlice<UInt8> {
        let body = try await unpacked(request)
        switch try Self.form(request.head) {
        case .png:
            guard !body.isEmpty else { throw ServiceError(400, "the body is empty: \(Self.hint)") }
            return body[...]
        case .multipart(let boundary):
            let parts = try Multipart.parse(body, boundary: boundary)
            guard parts.count == 1, parts[0].name == "image" else {
                throw ServiceError(400, "one part called 'image' is expected, \(parts.count) parts came")
            }
            guard !parts[0].body.isEmpty else { throw ServiceError(400, "the part 'image' is empty") }
            return parts[0].body
        }
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
