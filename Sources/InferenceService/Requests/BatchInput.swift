import HTTP

/// The images of a batch: parts of multipart/form-data, or lines of NDJSON.
package enum BatchInput {
    /// Maximum number of images in a batch.
    static let limit = Multipart.limit

    /// One image as received; a line is not parsed before its turn.
    enum Entry: Sendable {
        case part(Multipart.Part)
        case line(ArraySlice<UInt8>)

        /// The part of the label that is known without parsing the entry.
        var label: Label { if case .part(let part) = self { .filename(part.filename) } else { .id(nil) } }

        /// Size of the entry in bytes.
        var count: Int {
            switch self {
            case .part(let part): part.body.count
            case .line(let text): text.count
            }
        }
    }

    /// The client's label of an image, returned with its result.
    package enum Label: Sendable, Equatable {
        case filename(String?)
        case id(Line.ID?)
    }

    /// A line: an optional ID and a PNG in base64.
    package struct Line: Sendable {
        /// A string or an integer.
        package enum ID: Sendable, Equatable {
            case text(String)
            case number(Int)
        }

        package let id: ID?
        package let image: EncodedImage
    }

    /// Maximum bytes of an ID.
    private static let idLimit = 1024

    private static let hint =
        "send PNGs as the parts 'image' of multipart/form-data, or application/x-ndjson with one line per image: "
        + #"{"id": "...", "image": "(base64)"}"#

    /// Returns the format of a batch; throws if the head is not acceptable.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: ["multipart/form-data", "application/x-ndjson"], hint: hint)
    }

    /// Returns the images in `body`, a decompressed body in `format`, in order: at least one.
    static func entries(_ body: [UInt8], _ format: BodyFormat?) throws(ServiceError) -> [Entry] {
        let entries: [Entry]
        if case .multipart(let boundary)? = format {
            let parts = try ImageInput.parts(of: body, boundary)
            guard parts.allSatisfy({ $0.name == "image" }) else {
                throw ServiceError(400, "a part is not named 'image': \(hint)")
            }
            entries = parts.map { .part($0) }
        } else {
            entries = try lines(body).map { .line($0) }
        }
        guard !entries.isEmpty else { throw ServiceError(400, "the batch does not contain an image: \(hint)") }
        return entries
    }

    /// Returns the lines of `body` that are not blank, at most ``limit``.
    package static func lines(_ body: [UInt8]) throws(ServiceError) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        while start < body.count {
            let end = body[start...].firstIndex(of: 0x0A) ?? body.count
            let line = body[start..<end]
            start = end + 1
            guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            guard lines.count < limit else { throw ServiceError(413, "more than \(limit) lines") }
            lines.append(line)
        }
        return lines
    }

    /// Returns the label and the image of `entry`, or the error.
    static func read(_ entry: Entry) -> (label: Label, image: Result<EncodedImage, ServiceError>) {
        switch entry {
        case .part(let part): return (.filename(part.filename), nonEmpty(.png(part.body)))
        case .line(let text):
            do {
                let line = try parse(text)
                return (.id(line.id), nonEmpty(line.image))
            } catch {
                return (.id(nil), .failure(error))
            }
        }
    }

    private static func nonEmpty(_ image: EncodedImage) -> Result<EncodedImage, ServiceError> {
        image.isEmpty ? .failure(ServiceError(400, "the image is empty")) : .success(image)
    }

    /// Parses a line; its image is not decoded yet.
    package static func parse(_ line: ArraySlice<UInt8>) throws(ServiceError) -> Line {
        var reader = JSONReader(line)
        var id: Line.ID??
        var image: JSONReader.StringToken?
        func failed(_ error: JSONError) -> ServiceError {
            error == .wrongType
                ? ServiceError(400, "the line is not a JSON object: \(hint)")
                : ServiceError(400, "the line is not valid JSON: \(hint)")
        }
        try reader.object(orThrow: failed) { (name, reader) throws(ServiceError) in
            func value<Value>(
                _ isNew: Bool,
                _ read: (inout JSONReader) throws(JSONError) -> Value
            ) throws(ServiceError) -> Value {
                guard isNew else { throw ServiceError(400, "the line's member '\(name)' appears twice") }
                do {
                    return try read(&reader)
                } catch {
                    throw error == .invalid
                        ? failed(error) : ServiceError(400, "the line's member '\(name)' has the wrong type: \(hint)")
                }
            }
            switch name {
            case "id": id = .some(try value(id == nil, Self.identifier))
            case "image":
                image = try value(image == nil) { (reader) throws(JSONError) in try reader.stringToken() }
            default:
                do throws(JSONError) { try reader.skip() } catch { throw failed(error) }
            }
        }
        do throws(JSONError) { try reader.end() } catch { throw failed(error) }
        guard let image else { throw ServiceError(400, "the line has no member 'image'") }
        return Line(id: id ?? nil, image: .base64(image))
    }

    private static func identifier(_ reader: inout JSONReader) throws(JSONError) -> Line.ID? {
        switch try reader.kind() {
        case .null:
            try reader.skip()
            return nil
        case .number: return .number(try reader.integer())
        default: return .text(try reader.string(maximumBytes: idLimit))
        }
    }
}

extension BatchInput.Line.ID: Encodable {
    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }
}
