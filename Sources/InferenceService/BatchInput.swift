import Foundation
import HTTP

/// The images of a batch: parts of multipart/form-data, or lines of NDJSON.
package enum BatchInput {
    /// Images of a batch, at most.
    static let limit = Multipart.limit

    /// One image as it came: nothing of a line is read before its turn.
    enum Entry: Sendable {
        case part(Multipart.Part)
        case line(ArraySlice<UInt8>)
    }

    /// What an image's sender calls it, given back with its result.
    package enum Label: Sendable, Equatable {
        case filename(String?)
        case id(Line.ID?)
    }

    /// A line: an id, if its sender wants one back, and a PNG.
    package struct Line: Sendable, Equatable {
        /// A string or a whole number.
        package enum ID: Sendable, Equatable {
            case text(String)
            case number(Int)
        }

        package let id: ID?
        package let image: [UInt8]
    }

    private static let hint =
        "send PNGs as the parts 'image' of multipart/form-data, or application/x-ndjson, a line each: "
        + #"{"id": "...", "image": "(base64)"}"#

    /// How a batch comes; an error if its head lacks what it must have.
    static func form(_ head: RequestHead) throws(ServiceError) -> BodyForm {
        try BodyForm.of(head, accepted: ["multipart/form-data", "application/x-ndjson"], hint: hint)
    }

    /// The images in `body`, the unpacked body of a request with `head`, in their order: one at least.
    static func entries(_ body: [UInt8], _ head: RequestHead) throws(ServiceError) -> [Entry] {
        let entries: [Entry]
        if case .multipart(let boundary) = try form(head) {
            let parts = try Multipart.parse(body, boundary: boundary)
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

    /// The lines of `body` that hold more than white space.
    package static func lines(_ body: [UInt8]) throws(ServiceError) -> [ArraySlice<UInt8>] {
        let lines = body.split(separator: 0x0A).filter { !$0.allSatisfy { [0x20, 0x09, 0x0D].contains($0) } }
        guard lines.count <= limit else { throw ServiceError(413, "more than \(limit) lines") }
        return lines
    }

    /// The label and the PNG of `entry`, or what is wrong with it.
    static func read(_ entry: Entry) -> (label: Label, image: Result<ArraySlice<UInt8>, ServiceError>) {
        switch entry {
        case .part(let part): return (.filename(part.filename), nonEmpty(part.body))
        case .line(let text):
            do {
                let line = try parse(text)
                return (.id(line.id), nonEmpty(line.image[...]))
            } catch {
                return (.id(nil), .failure(error))
            }
        }
    }

    private static func nonEmpty(_ image: ArraySlice<UInt8>) -> Result<ArraySlice<UInt8>, ServiceError> {
        image.isEmpty ? .failure(ServiceError(400, "the image is empty")) : .success(image)
    }

    /// Reads a line.
    package static func parse(_ line: ArraySlice<UInt8>) throws(ServiceError) -> Line {
        do {
            return try JSONDecoder().decode(Line.self, from: Data(line))
        } catch DecodingError.keyNotFound(let key, _) {
            throw ServiceError(400, "the line has no member '\(key.stringValue)'")
        } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
            let name = context.codingPath[0].stringValue
            throw ServiceError(400, "the line's member '\(name)' is of another type: \(hint)")
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            throw ServiceError(400, "the line's 'image' is no base64 (RFC 4648, section 4)")
        } catch {
            throw ServiceError(400, "the line is no JSON object: \(hint)")
        }
    }
}

extension BatchInput.Line: Decodable {
    private enum Key: String, CodingKey {
        case id, image
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Key.self)
        id = try container.decodeIfPresent(ID.self, forKey: .id)
        image = try Array(container.decode(Data.self, forKey: .image))
    }
}

extension BatchInput.Line.ID: Codable {
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .text(text)
        } else {
            self = .number(try container.decode(Int.self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .text(let text): try container.encode(text)
        case .number(let number): try container.encode(number)
        }
    }
}
