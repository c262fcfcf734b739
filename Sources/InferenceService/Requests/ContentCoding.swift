import Codecs
import HTTP

/// Content codings (RFC 9110, section 8.4): gzip and deflate of requests, gzip of responses.
enum ContentCoding: Sendable {
    case gzip, deflate

    /// Minimum size of a compressed response in bytes.
    static let smallest = 1024
    /// Maximum growth of a body by decompression; images are already compressed and hardly grow.
    static let ratio = 10

    /// Returns the coding of the body of `head`, nil if there is none; throws if it is not supported.
    static func of(_ head: RequestHead) throws(ServiceError) -> ContentCoding? {
        switch head.headers.members("content-encoding").filter({ $0 != "identity" }) {
        case []: return nil
        case ["gzip"], ["x-gzip"]: return .gzip
        case ["deflate"]: return .deflate
        default:
            throw ServiceError(
                415,
                "the Content-Encoding must be gzip or deflate, applied once",
                headers: ["Accept-Encoding": "gzip, deflate"]
            )
        }
    }

    /// Decompresses `bytes` to at most `limit` bytes, and at most `ratio` times their number.
    func decompress(
        _ bytes: [UInt8],
        limit: Int,
        ratio: Int,
        isCancelled: () -> Bool
    ) throws(DecompressionError) -> [UInt8] {
        switch self {
        case .gzip: try Gzip.decompress(bytes, limit: limit, ratio: ratio, isCancelled: isCancelled)
        case .deflate: try Deflate.decompress(bytes, limit: limit, ratio: ratio, isCancelled: isCancelled)
        }
    }

    /// Whether the client accepts gzip (RFC 9110, section 12.5.3).
    static func isAccepted(_ head: RequestHead) -> Bool {
        var byAll: Bool?
        for member in head.headers.members("accept-encoding") {
            let parts = member.split(separator: ";").map(\.trimmed)
            let isWanted = !parts.dropFirst().contains { $0.hasPrefix("q=") && Double($0.dropFirst(2)) ?? 0 == 0 }
            if parts.first == "gzip" || parts.first == "x-gzip" { return isWanted }
            if parts.first == "*" { byAll = isWanted }
        }
        return byAll ?? false
    }

    /// Compresses the body of `response` if the client accepts gzip and the body is large enough; PNG is not
    /// compressed again.
    static func apply(to response: inout Response, _ head: RequestHead) {
        let type = response.headers["content-type"] ?? ""
        guard ["text/", "application/"].contains(where: type.hasPrefix), response.body.count >= smallest else { return }
        response.headers.append("Vary", "Accept-Encoding")
        guard isAccepted(head) else { return }
        response.body = Gzip.compress(response.body)
        response.headers.append("Content-Encoding", "gzip")
    }
}
