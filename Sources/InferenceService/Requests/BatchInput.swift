import HTTP

/// The images of a batch: parts of multipart/form-data, or lines of NDJSON.
package enum BatchInput {
    /// Images of a batch, at most.
    static let limit = Multipart.limit

    /// One image as it came: nothing of a line is read before its turn.
    enum Entry: Sendable {
        case part(Multipart.Part)
        case line(ArraySlice<UInt8>)

        /// What can be told of the label without reading the entry.
        var label: Label { if case .part(let part) = self { .filename(part.filename) } else { .id(nil) } }

        /// Bytes of the entry.
        var count: Int {
            switch self {
            case .part(let part): part.body.count
            case .line(let text): text.count
            }
        }
    }

    /// What an image's sender calls it, given back with its result.
    package enum Label: Sendable, Equatable {
        case filename(String?)
        case id(Line.ID?)
    }

    /// A line: an id, if its sender wants one back, and a PNG in base64.
    package struct Line: Sendable {
        /// A string or a whole number.
        package enum ID: Sendable, Equatable {
            case text(String)
            case number(Int)
        }

        package let id: ID?
        package let image: EncodedImage
    }

    /// Bytes of an id, at most.
    private static let idLimit = 1024

    private static let hint =
        "send PNGs as the parts 'image' of multipart/form-data, or application/x-ndjson, a line each: "
        + #"{"id": "...", "image": "(base64)"}"#

    /// How a batch comes; an error if its head lacks what it must have.
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: ["multipart/form-data", "application/x-ndjson"], hint: hint)
    }

    /// The images in `body`, the unpacked body of a request with `head`, in their order: one at least.
    static func entries(_ body: [UInt8], _ head: RequestHead) throws(ServiceError) -> [Entry] {
        let entries: [Entry]
        if case .multipart(let boundary) = try form(head) {
            let parts = try ImageInput.parts(of: body, boundary)
            guard parts.allSatisfy({ $0.name == "image" }) else {
                throw ServiceError(400, "a part is not called 'image': \(hint)")
            }
            entries = parts.map { .part($0) }
        } else {
            entries = try lines(body).map { .line($0) }
        }
        guard !entries.isEmpty else { throw ServiceError(400, "the batch holds no image: \(hint)") }
        return entries
    }

    /// The lines of `body` that hold more than white space, ``limit`` at most.
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

    /// The label and the image of `entry`, or what is wrong with it.
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

    /// Reads a line; its image is not decoded yet.
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
                guard isNew else { throw ServiceError(400, "the line's member '\(name)' stands twice") }
                do {
                    return try read(&reader)
                } catch {
                    throw error == .invalid
                        ? failed(error) : ServiceError(400, "the line's member '\(name)' is of another type: \(hint)")
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
