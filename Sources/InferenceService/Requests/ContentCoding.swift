import Codecs
import HTTP

/// gzip content coding of requests and responses (RFC 9110, section 8.4).
enum ContentCoding {
    /// Minimum size of a compressed response in bytes.
    static let smallest = 1024
    /// Maximum growth of a body by decompression; images are already compressed and hardly grow.
    static let ratio = 10

    /// Whether the body of `head` is compressed; throws if its coding is not supported.
    static func isCompressed(_ head: RequestHead) throws(ServiceError) -> Bool {
        let codings = head.headers.members("content-encoding").filter { $0 != "identity" }
        if codings.isEmpty { return false }
        guard codings == ["gzip"] || codings == ["x-gzip"] else {
            throw ServiceError(
                415,
                "the only supported Content-Encoding is gzip, applied once",
                headers: ["Accept-Encoding": "gzip"]
            )
        }
        return true
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
