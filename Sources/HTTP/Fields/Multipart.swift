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

    /// Maximum number of parts in a body: the images of a batch, and other fields of its form.
    package static let limit = 1100
    /// Maximum size of a part's header in bytes.
    private static let headerLimit = 8192

    /// Returns the boundary of a Content-Type; nil if it is not multipart/form-data with a valid boundary.
    package static func boundary(of contentType: String) -> String? {
        let field = ParameterizedField(contentType)
        guard field.value == "multipart/form-data", let boundary = field.parameters["boundary"] else { return nil }
        return (1...70).contains(boundary.utf8.count) ? boundary : nil
    }

    /// Returns the parts of `body` in order.
    package static func parse(_ body: [UInt8], boundary: String) throws(RequestError) -> [Part] {
        let delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may be at the very start, without its line break.
        var position = body.starts(with: delimiter[2...]) ? delimiter.count - 2 : nil
        if position == nil { position = find(delimiter, in: body, from: 0).map { $0 + delimiter.count } }
        var parts: [Part] = []
        while let start = position {
            if body[start...].starts(with: "--".utf8) { return parts }
            guard let lineEnd = find([0x0D, 0x0A], in: body, from: start),
                body[start..<lineEnd].allSatisfy({ $0 == 0x20 || $0 == 0x09 })
            else { throw RequestError(400, "a multipart boundary is malformed") }
            guard let end = find(delimiter, in: body, from: lineEnd) else { break }
            guard parts.count < limit else { throw RequestError(413, "more than \(limit) parts") }
            parts.append(try part(body, lineEnd..<end))
            position = end + delimiter.count
        }
        throw RequestError(400, "the multipart body does not end with its boundary")
    }

    /// Parses the part in `range`, which starts with the line break before the part's header.
    private static func part(_ body: [UInt8], _ range: Range<Int>) throws(RequestError) -> Part {
        let start = Array(body[range].prefix(headerLimit + 4))
        guard let headerEnd = find([0x0D, 0x0A, 0x0D, 0x0A], in: start, from: 0), headerEnd <= headerLimit else {
            throw RequestError(400, "a part's header is missing or does not end")
        }
        let header = PartHeader(start[..<headerEnd])
        let field = header["content-disposition"].map { ParameterizedField($0, escapes: .formData) }
        guard let field, let name = field.parameters["name"] else {
            throw RequestError(400, "a part has no Content-Disposition with a name")
        }
        let filename =
            field.parameters["filename*"].flatMap(ExtendedValue.decode)
            ?? field.parameters["filename"].map(EncodedWord.decode)
        return Part(
            name: name,
            filename: filename,
            encoding: header["content-transfer-encoding"].map { TransferEncoding($0) } ?? .identity,
            body: body[(range.lowerBound + headerEnd + 4)..<range.upperBound]
        )
    }

    /// Returns the first position of `pattern` in `bytes`, starting at `start`.
    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= pattern.count, start <= bytes.count - pattern.count else { return nil }
        let first = pattern[0]
        return (start...bytes.count - pattern.count).first { index in
            bytes[index] == first && bytes[index..<index + pattern.count].elementsEqual(pattern)
        }
    }
}
