import Codecs
import HTTP

/// Content codings (RFC 9110, section 8.4): gzip and deflate of requests, gzip of responses.
enum ContentCoding {
    /// Minimum size of a compressed response in bytes.
    static let smallest = 1024
    /// Maximum growth of a body by decompression; images are already compressed and hardly grow.
    static let ratio = 10

    /// Returns the format of the compressed body of `head`; nil if it is not compressed.
    ///
    /// Throws if its coding is not supported.
    static func format(_ head: RequestHead) throws(ServiceError) -> Gzip.Format? {
        let codings = head.headers.members("content-encoding").filter { $0 != "identity" }
        switch codings {
        case []: return nil
        case ["gzip"], ["x-gzip"]: return .gzip
        case ["deflate"]: return .zlib
        default:
            throw ServiceError(
                415,
                "the only supported Content-Encodings are gzip and deflate, applied once",
                headers: ["Accept-Encoding": "gzip, deflate"]
            )
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
