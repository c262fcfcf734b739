import HTTP

/// Format of a request body, from its Content-Type.
enum BodyFormat: Sendable {
    case png, lines, json
    case multipart(boundary: String)

    /// Returns the format of the body of `head`; throws if its media type is not `accepted`, with `hint` as advice.
    static func of(_ head: RequestHead, accepted: [String], hint: String) throws(ServiceError) -> BodyFormat {
        guard head.headers.contains("content-length") || head.headers.contains("transfer-encoding") else {
            throw ServiceError(411, "the request has no body: \(hint), with a Content-Length")
        }
        let contentType = head.headers["content-type"] ?? ""
        let type = contentType.split(separator: ";").first?.trimmed.lowercased() ?? ""
        guard accepted.contains(type) else {
            throw ServiceError(
                415,
                "the Content-Type is not supported: \(hint)",
                headers: ["Accept": accepted.joined(separator: ", ")]
            )
        }
        switch type {
        case "image/png": return .png
        case "application/x-ndjson": return .lines
        case "application/json": return .json
        default:
            guard let boundary = Multipart.boundary(of: contentType) else {
                throw ServiceError(400, "multipart/form-data requires a boundary of 1 to 70 characters")
            }
            return .multipart(boundary: boundary)
        }
    }
}
