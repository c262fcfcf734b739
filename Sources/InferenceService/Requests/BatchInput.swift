import Codecs
import HTTP

/// The images of a batch: parts of multipart/form-data, lines of NDJSON, or files in an archive.
package enum BatchInput {
    /// Maximum number of images in a batch.
    static let limit = 1000

    /// One image as received; a line is not parsed, and a file is not decompressed, before its turn.
    enum Entry: Sendable {
        case part(Multipart.Part)
        case line(ArraySlice<UInt8>)
        case file(ArchiveEntry)

        /// The label, as far as it can be read without the whole entry: an ID at the start of a line.
        var label: Label {
            switch self {
            case .part(let part): .filename(part.filename)
            case .file(let file): .filename(file.name)
            case .line(let text): .id(BatchInput.parse(text.prefix(4096)).id)
            }
        }

        /// Size of the entry in bytes.
        var count: Int {
            switch self {
            case .part(let part): part.body.count
            case .line(let text): text.count
            // Nothing is parsed.
            case .file: 0
            }
        }
    }

    /// The client's label of an image, returned with its result.
    package enum Label: Sendable, Equatable {
        case filename(String?)
        case id(Line.ID?)
    }

    /// A line: an optional ID and a PNG in base64, or why there is none.
    package struct Line: Sendable {
        /// A string or a number as it is written, because a conversion could change it.
        package struct ID: Sendable, Equatable {
            package let text: ArraySlice<UInt8>
        }

        package let id: ID?
        package let image: Result<EncodedImage, ServiceError>
    }

    /// The images of a body, and the number of other fields of a form.
    struct Content {
        let entries: [Entry]
        let otherFields: Int
        /// The name of the images' labels in the response.
        let label: String
    }

    /// Maximum bytes of an ID, without escapes.
    private static let idLimit = 1024

    private static let hint =
        "send PNGs in an archive as application/zip or application/x-tar, as the parts 'image' of multipart/form-data, "
        + #"or application/x-ndjson with one line per image: {"id": "...", "image": "(base64)"}"#

    private static let types = ["multipart/form-data", "application/x-ndjson", "application/zip", "application/x-tar"]

    /// Returns the format of a batch; throws if the head is not acceptable.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: types, hint: hint)
    }

    /// Returns the images in `body`, a decompressed body in `format`, in order: at least one.
    ///
    /// Files in an archive may have at most `maximumBytes`. `isCancelled` is polled regularly.
    static func content(
        _ body: [UInt8],
        _ format: BodyFormat?,
        maximumBytes: Int,
        isCancelled: () -> Bool = { false }
    ) throws(ServiceError) -> Content {
        func lineContent() throws(ServiceError) -> Content {
            let lines = try lines(body)
            guard !lines.isEmpty else { throw ServiceError(400, "the batch does not contain an image: \(hint)") }
            return Content(entries: lines.map { .line($0) }, otherFields: 0, label: "id")
        }
        func archiveContent(_ archive: some Sequence<ArchiveEntry>) throws(ServiceError) -> Content {
            let files = try BatchArchive.images(in: archive, limit: limit, isCancelled: isCancelled)
            return Content(entries: files.map { .file($0) }, otherFields: 0, label: "filename")
        }
        let zip = ZipReader(body, limit: maximumBytes, ratio: ContentCoding.ratio)
        let tar = TarReader(body, limit: maximumBytes)
        switch format {
        case .multipart(let boundary)?:
            let form = try ImageForm(body, boundary: boundary, hint: hint)
            guard form.images.count <= limit else { throw ServiceError(413, "more than \(limit) images") }
            return Content(entries: form.images.map { .part($0) }, otherFields: form.otherFields, label: "filename")
        case .zip?: return try archiveContent(zip)
        case .tar?: return try archiveContent(tar)
        case .undeclared?:
            if ZipReader.recognizes(body) { return try archiveContent(zip) }
            if TarReader.recognizes(body) { return try archiveContent(tar) }
            throw BodyFormat.unsupported(types, hint: hint)
        default: return try lineContent()
        }
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
        case .part(let part):
            let image = Result { () throws(ServiceError) in try EncodedImage(part) }
            return (.filename(part.filename), image.flatMap(nonEmpty))
        case .line(let text):
            let line = parse(text)
            return (.id(line.id), line.image.flatMap(nonEmpty))
        case .file(let file):
            let image = file.content.map { EncodedImage($0) }.mapError { ServiceError($0) }
            return (.filename(file.name), image.flatMap(nonEmpty))
        }
    }

    private static func nonEmpty(_ image: EncodedImage) -> Result<EncodedImage, ServiceError> {
        image.isEmpty ? .failure(ServiceError(400, "the image is empty")) : .success(image)
    }

    /// Parses a line; its image is not decoded yet.
    ///
    /// The ID is returned even if the rest of the line is wrong.
    package static func parse(_ line: ArraySlice<UInt8>) -> Line {
        var id: Line.ID?
        do throws(ServiceError) {
            let image = try image(of: line, &id)
            return Line(id: id, image: .success(.base64(image)))
        } catch {
            return Line(id: id, image: .failure(error))
        }
    }

    /// Returns the image of a line, and its ID in `id`.
    private static func image(
        of line: ArraySlice<UInt8>,
        _ id: inout Line.ID?
    ) throws(ServiceError) -> JSONReader.StringToken {
        func failed(_ error: JSONError) -> ServiceError {
            error == .wrongType
                ? ServiceError(400, "the line is not a JSON object: \(hint)")
                : ServiceError(400, "the line is not valid JSON: \(hint)")
        }
        var reader = JSONReader(line)
        var image: JSONReader.StringToken?
        var found: Set<String> = []
        // The first problem; reading continues, because the ID may follow.
        var problem: ServiceError?
        try reader.object(orThrow: failed) { (name, reader) throws(ServiceError) in
            do throws(JSONError) {
                guard name == "id" || name == "image" else { return try reader.skip() }
                guard found.insert(name).inserted else {
                    problem = problem ?? ServiceError(400, "the line's member '\(name)' appears twice")
                    return try reader.skip()
                }
                do throws(JSONError) {
                    if name == "id" { id = try identifier(&reader) } else { image = try reader.stringToken() }
                } catch .wrongType {
                    problem = problem ?? ServiceError(400, "the line's member '\(name)' has the wrong type: \(hint)")
                    try reader.skip()
                } catch .tooLong {
                    problem =
                        problem ?? ServiceError(400, "the line's member '\(name)' is longer than \(idLimit) bytes")
                }
            } catch {
                throw failed(error == .wrongType ? .invalid : error)
            }
        }
        do throws(JSONError) { try reader.end() } catch { throw failed(error) }
        if let problem { throw problem }
        guard let image else { throw ServiceError(400, "the line has no member 'image'") }
        return image
    }

    private static func identifier(_ reader: inout JSONReader) throws(JSONError) -> Line.ID? {
        guard try reader.kind() == .null else { return Line.ID(text: try reader.scalarText(maximumBytes: idLimit)) }
        try reader.skip()
        return nil
    }
}
