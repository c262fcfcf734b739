import Codecs
import HTTP

/// The images of a batch: parts of multipart/form-data, lines of NDJSON, or files in an archive.
package enum BatchInput {
    /// One image as received; a line is not parsed, and a file is not decompressed, before its turn.
    enum Entry: Sendable {
        case part(Multipart.Part)
        case line(ArraySlice<UInt8>)
        case file(ArchiveEntry)
        /// An image that cannot be read.
        case failed(Label, ServiceError)

        /// The label, as far as it can be read without the whole entry: an ID at the start of a line.
        var label: Label {
            switch self {
            case .part(let part): .filename(part.filename)
            case .file(let file): .filename(file.name)
            case .line(let text): .id(BatchInput.parse(text.prefix(labelBytes)).id)
            case .failed(let label, _): label
            }
        }

        /// Bytes of memory that the entry holds.
        var count: Int {
            switch self {
            case .part(let part): part.body.count
            case .line(let text): text.count
            case .file(let file): file.count
            case .failed: 0
            }
        }

        /// Bytes that are parsed to read the entry.
        var parsedBytes: Int {
            switch self {
            case .part, .line: count
            case .file, .failed: 0
            }
        }
    }

    /// Bytes at the start of a line in which its ID is searched if it cannot be read as a whole.
    static let labelBytes = 4096

    /// The client's label of an image, returned with its result.
    package enum Label: Sendable, Equatable {
        case filename(String?)
        case id(Line.ID?)

        /// The name of the label in the response.
        var name: String {
            switch self {
            case .filename: "filename"
            case .id: "id"
            }
        }
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

    /// Maximum bytes of an ID, without escapes.
    private static let idLimit = 1024

    static let hint =
        "send PNGs in an archive as application/zip or application/x-tar, as the parts 'image' of multipart/form-data, "
        + #"or application/x-ndjson with one line per image: {"id": "...", "image": "(base64)"}"#

    private static let types = ["multipart/form-data", "application/x-ndjson", "application/zip", "application/x-tar"]

    /// Returns the format of a batch; throws if the head is not acceptable.
    static func format(_ head: RequestHead) throws(ServiceError) -> BodyFormat {
        try BodyFormat.of(head, accepted: types, hint: hint)
    }

    /// The error for a body that is not in one of the formats.
    static var unsupported: ServiceError { BodyFormat.unsupported(types, hint: hint) }

    /// Returns the parser of a body in `format`, with images of at most `imageBytes` bytes each.
    static func parser(_ format: BodyFormat?, imageBytes: Int) -> any BatchParser {
        switch format {
        case .multipart(let boundary)?: FormParser(boundary: boundary, limit: imageBytes)
        case .zip?: ArchiveParser(ZipReader(limit: imageBytes, ratio: ContentCoding.ratio))
        case .tar?: ArchiveParser(TarReader(limit: imageBytes))
        case .undeclared?: UndeclaredParser(limit: imageBytes)
        default: LineParser(imageBytes: imageBytes)
        }
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
        case .failed(let label, let error): return (label, .failure(error))
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
