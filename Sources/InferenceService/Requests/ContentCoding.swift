import Codecs
import HTTP

/// gzip on the way in and out (RFC 9110, section 8.4).
enum ContentCoding {
    /// Answers smaller than this are not worth it.
    static let smallest = 1024
    /// Times that a body may grow by being unpacked; images, packed already, hardly do.
    static let ratio = 10

    /// Whether the body of `head` is packed; an error for a coding that is not known here.
    static func isPacked(_ head: RequestHead) throws(ServiceError) -> Bool {
        let codings = head.headers.members("content-encoding").filter { $0 != "identity" }
        if codings.isEmpty { return false }
        guard codings == ["gzip"] || codings == ["x-gzip"] else {
            throw ServiceError(
                415,
                "the only Content-Encoding understood here is gzip, once",
                headers: ["Accept-Encoding": "gzip"]
            )
        }
        return true
    }

    /// Whether the sender of `head` takes gzip (RFC 9110, section 12.5.3).
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

    /// Packs the body of `response` if its receiver takes that and it is worth it; PNG is packed already.
    static func apply(to response: inout Response, _ head: RequestHead) {
        let type = response.headers["content-type"] ?? ""
        guard ["text/", "application/"].contains(where: type.hasPrefix), response.body.count >= smallest else { return }
        response.headers.append("Vary", "Accept-Encoding")
        guard isAccepted(head) else { return }
        response.body = Gzip.compress(response.body)
        response.headers.append("Content-Encoding", "gzip")
    }
}
