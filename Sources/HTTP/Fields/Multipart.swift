/// multipart/form-data (RFC 7578, RFC 2046 section 5.1) held in memory.
package enum Multipart {
    /// A part: what its header says, and its bytes.
    package struct Part: Equatable, Sendable {
        package var name: String
        package var filename: String?
        package var encoding = TransferEncoding.identity
        /// The bytes as received, in ``encoding``.
        package var body: ArraySlice<UInt8>
    }

    /// The Content-Transfer-Encoding of a part (RFC 2045, section 6).
    package enum TransferEncoding: Equatable, Sendable {
        /// 7bit, 8bit or binary, or none given.
        case identity
        case base64
        /// Another encoding, such as quoted-printable.
        case other(String)

        init(_ field: String) {
            switch ParameterizedField(field).value {
            case "7bit", "8bit", "binary", "": self = .identity
            case "base64": self = .base64
            case let name: self = .other(name)
            }
        }
    }

    /// Maximum number of parts in a body that is parsed as a whole.
    package static let limit = 1100

    /// Returns the boundary of a Content-Type; nil if it is not multipart/form-data with a valid boundary.
    package static func boundary(of contentType: String) -> String? {
        let field = ParameterizedField(contentType)
        guard field.value == "multipart/form-data", let boundary = field.parameters["boundary"] else { return nil }
        return (1...70).contains(boundary.utf8.count) ? boundary : nil
    }

    /// Returns the parts of `body` in order.
    package static func parse(_ body: [UInt8], boundary: String) throws(RequestError) -> [Part] {
        var parser = MultipartParser(boundary: boundary, limit: body.count)
        parser.append(body, isLast: true)
        var parts: [Part] = []
        while case .part(let part) = try parser.step() {
            guard parts.count < limit else { throw RequestError(413, "more than \(limit) parts") }
            parts.append(part)
        }
        return parts
    }
}
