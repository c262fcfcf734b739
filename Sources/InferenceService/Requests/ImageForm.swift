import HTTP

/// The images in a multipart/form-data body.
struct ImageForm {
    /// The parts named `image`, at least one.
    let images: [Multipart.Part]
    /// The number of other parts, which are ignored.
    let otherFields: Int

    /// Parses `body`; throws if it has no part named `image`, with `hint` as advice.
    init(_ body: [UInt8], boundary: String, hint: String) throws(ServiceError) {
        let parts: [Multipart.Part]
        do { parts = try Multipart.parse(body, boundary: boundary) } catch { throw ServiceError(error) }
        images = parts.filter { $0.name == Self.imageName }
        otherFields = parts.count - images.count
        guard !images.isEmpty else { throw Self.missing(names: parts.map(\.name), count: parts.count, hint) }
    }

    /// The name of a part that is an image.
    static let imageName = "image"

    /// Number of names in the error for a form without an image.
    static let listedNames = 8

    /// The error for a form with `count` parts, none of them an image; `names` are the first of their names.
    static func missing(names: [String], count: Int, _ hint: String) -> ServiceError {
        guard count > 0 else { return ServiceError(400, "the form does not have a part: \(hint)") }
        return ServiceError(
            400,
            "the form does not have a part named 'image', only \(list(names)): \(hint)",
            reason: "the form does not have a part named 'image', and \(count) with other names"
        )
    }

    /// Names from the client, shortened.
    private static func list(_ names: [String]) -> String {
        let shown = names.prefix(listedNames).map { "'\($0.count > 64 ? $0.prefix(64) + "..." : $0[...])'" }
        return (shown + (names.count > listedNames ? ["..."] : [])).joined(separator: ", ")
    }
}

extension EncodedImage {
    /// The image in a part; throws if its transfer encoding is not supported.
    init(_ part: Multipart.Part) throws(ServiceError) {
        switch part.encoding {
        case .identity: self = .png(part.body)
        case .base64: self = .base64(JSONReader.StringToken(bytes: part.body, hasEscapes: false))
        case .other(let name):
            let advice = "send the image as binary, or in base64"
            throw ServiceError(
                400,
                "the Content-Transfer-Encoding '\(name.prefix(64))' is not supported: \(advice)",
                reason: "the Content-Transfer-Encoding of a part is not supported: \(advice)"
            )
        }
    }
}
