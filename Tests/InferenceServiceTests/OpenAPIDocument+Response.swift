import Codecs
import Foundation
import HTTP
import ModelFile

/// Comparing responses with the document.
extension OpenAPIDocument {
    /// Returns what the document does not allow in `response` to a request with `head`; the body of a stream is not
    /// checked.
    func failures(of response: Response, to head: RequestHead) -> [String] {
        do {
            guard let documented = try documented(response.status, for: head) else {
                return ["the status \(response.status) is not documented"]
            }
            return try failures(of: response, documented)
        } catch {
            return ["\(error)"]
        }
    }

    /// Returns what the document does not allow in a response to bytes that are not a valid request.
    func failures(ofErrorResponse response: Response) -> [String] {
        do {
            let documented = try JSONSchema(document: root).resolve("#/components/responses/InvalidRequest")
            return try failures(of: response, documented)
        } catch {
            return ["\(error)"]
        }
    }

    /// Returns what the document does not allow in `line`, a line of a streamed response to a request with `head`.
    func failures(ofLine line: [UInt8], to head: RequestHead) -> [String] {
        do {
            guard !isTable(head) else { return [] }
            let media = try documented(200, for: head)["content"]["application/x-ndjson"]
            return try failures(ofJSON: line, media)
        } catch {
            return ["\(error)"]
        }
    }

    /// Whether a streamed response to a request with `head` is CSV, which has no schema.
    private func isTable(_ head: RequestHead) -> Bool {
        head.headers.all("accept").contains { $0.contains("text/csv") }
    }

    /// Returns what the document says about the status `status` of a request with `head`.
    private func documented(_ status: Int, for head: RequestHead) throws -> JSONValue? {
        let path = template(of: head.path)
        if let path, let operation = operation(head.method, path) {
            return try operation.responses["\(status)"].map { try resolved($0) }
        }
        // Responses that do not belong to an operation.
        let name: String
        switch (head.method, status) {
        case ("CONNECT", 501): name = "InvalidRequest"
        case ("OPTIONS", 204) where path != nil || head.path == "*": name = "Options"
        case (_, 404) where path == nil: name = "NotFound"
        case (_, 405) where path != nil && head.method != "OPTIONS": name = "MethodNotAllowed"
        default: return nil
        }
        return try JSONSchema(document: root).resolve("#/components/responses/\(name)")
    }

    private func failures(of response: Response, _ documented: JSONValue) throws -> [String] {
        var failures: [String] = []
        for (name, header) in documented["headers"].members {
            failures += try self.failures(ofHeader: name, response.headers.all(name), resolved(header))
        }
        let content = documented["content"].members
        guard let field = response.headers["content-type"] else {
            let isEmpty = response.body.isEmpty && response.stream == nil && !response.headers.contains("content-type")
            return failures + (isEmpty && content.isEmpty ? [] : ["there is not exactly one Content-Type"])
        }
        let type = field.split(separator: ";").first.map(String.init)?.trimmed ?? ""
        guard let media = content[type] else { return failures + ["the content type \(type) is not documented"] }
        guard response.stream == nil else {
            let isLines = ["application/x-ndjson", "text/csv"].contains(type)
            return failures + (isLines ? [] : ["only application/x-ndjson and text/csv may be streamed"])
        }
        guard type.hasSuffix("json") else { return failures }
        var body = response.body
        if response.headers["content-encoding"] == "gzip" {
            body = try Gzip.decompress(body, limit: 1 << 24, ratio: 1000)
        }
        return try failures + self.failures(ofJSON: body, media)
    }

    private func failures(ofHeader name: String, _ values: [String], _ header: JSONValue) throws -> [String] {
        guard values.count <= 1 else { return ["the header \(name) appears more than once"] }
        guard let text = values.first else {
            return header["required"] == .bool(true) ? ["the header \(name) is missing"] : []
        }
        let schema = header["schema"] ?? .bool(false)
        let isNumber = ["integer", "number"].contains(schema["type"]?.text)
        let value = isNumber ? Double(text).map { .number($0) } ?? .string(text) : JSONValue.string(text)
        return try JSONSchema(document: root).failures(of: value, schema, at: name)
    }

    /// Returns what the document does not allow in a body or line of the media type object `media`.
    private func failures(ofJSON body: [UInt8], _ media: JSONValue?) throws -> [String] {
        guard let schema = media["schema"] else { return ["there is no schema"] }
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(body)) else {
            return ["the body is not valid JSON"]
        }
        return try JSONSchema(document: root, isClosed: true).failures(of: value, schema)
    }
}
