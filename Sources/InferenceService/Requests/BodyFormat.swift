import HTTP

/// How the body of a request comes, by its Content-Type.
enum BodyFormat: Sendable {
    case png, lines, json
    case multipart(boundary: String)

    /// The form of the body behind `head`, of a media type that is `accepted`; `hint` says what to send.
    static func of(_ head: RequestHead, accepted: [String], hint: String) throws(ServiceError) -> BodyFormat {
        guard head.headers.contains("content-length") || head.headers.contains("transfer-encoding") else {
            throw ServiceError(411, "the request has no body: \(hint), with its Content-Length")
        }
        let contentType = head.headers["content-type"] ?? ""
        let type = contentType.split(separator: ";").first?.trimmed.lowercased() ?? ""
        guard accepted.contains(type) else {
            throw ServiceError(
                415,
                "the Content-Type is not understood: \(hint)",
                headers: ["Accept": accepted.joined(separator: ", ")]
            )
        }
        switch type {
        case "image/png": return .png
        case "application/x-ndjson": return .lines
        case "application/json": return .json
        default:
            guard let boundary = Multipart.boundary(of: contentType) else {
                throw ServiceError(400, "multipart/form-data needs a boundary of 1 to 70 characters")
            }
            return .multipart(boundary: boundary)
        }
    }
}
