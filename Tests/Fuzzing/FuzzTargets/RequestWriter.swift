import HTTP

/// Writes requests for the HTTP parsers to read.
enum RequestWriter {
    /// Bytes that must be parsed as `request`.
    static func bytes(_ request: Request) -> [UInt8] {
        let head = request.head
        let version = head.version == .http1_1 ? "HTTP/1.1" : "HTTP/1.0"
        var text = "\(head.method) \(target(head.method, head.path, head.rawQuery)) \(version)\r\n"
        for field in head.headers.fields { text += "\(field.name): \(field.value)\r\n" }
        var pieces = Pieces(of: request.body, longest: 100)
        let body = head.headers.contains("transfer-encoding") ? chunked(request.body, &pieces) : request.body
        return Array((text + "\r\n").utf8) + body
    }

    /// A request target for a decoded path and a raw query.
    static func target(_ method: String, _ path: String, _ rawQuery: String) -> String {
        if method == "CONNECT" || path == "*" { return path }
        return escaped(path, keeping: "/") + (rawQuery.isEmpty ? "" : "?\(rawQuery)")
    }

    /// `text` with everything except letters, digits and `keeping` percent-encoded.
    static func escaped(_ text: String, keeping: String = "") -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(Unicode.Scalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || keeping.contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return result
    }

    /// `body` in chunks with the lengths from `pieces`, with a chunk extension and a trailer.
    static func chunked(_ body: [UInt8], _ pieces: inout Pieces) -> [UInt8] {
        var result: [UInt8] = []
        var rest = body[...]
        while !rest.isEmpty {
            let piece = rest.prefix(pieces.next())
            rest = rest.dropFirst(piece.count)
            result += "\(String(piece.count, radix: 16));name=\"a;\\\"\"\r\n".utf8 + piece + "\r\n".utf8
        }
        return result + "0\r\nTrailer: x\r\n\r\n".utf8
    }
}
