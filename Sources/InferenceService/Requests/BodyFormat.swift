import HTTP

/// Format of a request body, from its Content-Type.
enum BodyFormat: Sendable {
    case png, lines, json, zip, tar
    /// The Content-Type says nothing about the body of a path that takes a PNG or an archive: its signature is checked
    /// when the body is there.
    case undeclared
    case multipart(boundary: String)

    /// Returns the format of the body of `head`; throws if its media type is not `accepted`, with `hint` as advice.
    static func of(_ head: RequestHead, accepted: [String], hint: String) throws(ServiceError) -> BodyFormat {
        guard head.headers.contains("content-length") || head.headers.contains("transfer-encoding") else {
            throw ServiceError(411, "the request has no body: \(hint), with a Content-Length")
        }
        let fields = head.headers.all("content-type")
        guard fields.count <= 1 else { throw unsupported(accepted, hint: hint) }
        let contentType = fields.first ?? ""
        let name = ParameterizedField(contentType).value
        if accepted.contains(where: recognizable.contains), unspecific.contains(name) { return .undeclared }
        let type = synonyms[name] ?? name
        guard accepted.contains(type) else { throw unsupported(accepted, hint: hint) }
        switch type {
        case "image/png": return .png
        case "application/x-ndjson": return .lines
        case "application/json": return .json
        case "application/zip": return .zip
        case "application/x-tar": return .tar
        default:
            guard let boundary = Multipart.boundary(of: contentType) else {
                throw ServiceError(400, "multipart/form-data requires a boundary of 1 to 70 characters")
            }
            return .multipart(boundary: boundary)
        }
    }

    /// The error for a body in another format.
    static func unsupported(_ accepted: [String], hint: String) -> ServiceError {
        ServiceError(
            415,
            "the Content-Type is not supported: \(hint)",
            headers: ["Accept": accepted.joined(separator: ", ")]
        )
    }

    /// What clients send for any body: no Content-Type, one for unknown bytes, and the default of curl.
    static let unspecific: Set<String> = ["", "application/octet-stream", "application/x-www-form-urlencoded"]

    /// Types whose bodies have a signature.
    private static let recognizable: Set<String> = ["image/png", "application/zip", "application/x-tar"]

    /// Other names of accepted types.
    private static let synonyms = [
        "image/x-png": "image/png", "image/apng": "image/png", "application/jsonl": "application/x-ndjson",
        "application/ndjson": "application/x-ndjson", "application/x-zip-compressed": "application/zip",
        "application/x-zip": "application/zip", "application/tar": "application/x-tar",
        "application/x-gtar": "application/x-tar", "application/x-ustar": "application/x-tar",
    ]
}
