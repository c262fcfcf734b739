import Foundation
import HTTP
import InferenceService

extension FuzzTarget {
    /// A line with a Content-Type, then a multipart body: no part contains the boundary, and parts can be written and
    /// read again.
    static func runMultipart(_ bytes: [UInt8]) {
        let halves = bytes.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, isFieldValue(halves[0]),
            let boundary = Multipart.boundary(of: String(decoding: halves[0], as: UTF8.self))
        else { return }
        require((1...70).contains(boundary.utf8.count), "a boundary has 1 to 70 bytes")
        let body = Array(halves[1])
        let parsed = try? Multipart.parse(body, boundary: boundary)
        checkPieces(body, boundary, parsed)
        guard let parts = parsed else { return }
        let delimiter = Array("\r\n--\(boundary)".utf8)
        var end = 0
        for part in parts {
            require(part.body.startIndex >= end && part.body.endIndex <= body.count, "parts are in order")
            require(body[part.body.indices] == part.body, "a part is a slice of the body")
            require(body[part.body.endIndex...].starts(with: delimiter), "a boundary ends a part")
            require(!part.body.contains(delimiter), "no part contains the boundary")
            let lines = body[end..<part.body.startIndex].split(separator: [0x0D, 0x0A])
            let names = lines.map { String(decoding: $0.prefix(20), as: UTF8.self).lowercased() }
            require(names.contains("content-disposition:"), "a part has a Content-Disposition line")
            end = part.body.endIndex
        }
        // Invalid UTF-8 makes a name longer than in its original header, perhaps too long.
        guard parts.allSatisfy({ $0.name.utf8.count < 4096 }) else { return }
        let written = must("written parts can be read again") {
            try Multipart.parse(write(parts, delimiter), boundary: boundary)
        }
        require(written.map(\.name) == parts.map(\.name), "names survive a round trip")
        require(written.map(\.body) == parts.map(\.body), "bodies survive a round trip")
        for name in parts.compactMap(\.filename) { checkEncodedWords(name) }
    }

    /// The split of the body does not matter; `parts` are those of the whole, nil if it is not valid.
    private static func checkPieces(_ body: [UInt8], _ boundary: String, _ parts: [Multipart.Part]?) {
        // A whole form may have a limited number of parts.
        guard parts?.count ?? 0 < Multipart.limit else { return }
        var pieces = Pieces(of: body, longest: 40)
        var parser = MultipartParser(boundary: boundary, limit: body.count)
        var found: [Multipart.Part] = []
        var rest = body[...]
        repeat {
            let piece = rest.prefix(pieces.next())
            rest = rest.dropFirst(piece.count)
            parser.append(Array(piece), isLast: rest.isEmpty)
            do throws(RequestError) {
                while case .part(let part) = try parser.step() { found.append(part) }
            } catch {
                return require(parts == nil, "a form in pieces is refused, but not as a whole: \(error)")
            }
        } while !rest.isEmpty
        guard let parts else { return require(false, "a form is refused as a whole, but not in pieces") }
        require(found.map(\.body) == parts.map(\.body), "pieces give the same bodies")
        require(found.map(\.name) == parts.map(\.name), "pieces give the same names")
    }

    /// A text in an encoded word or an extended value is read as it was written.
    static func checkEncodedWords(_ text: String) {
        let base64 = "=?UTF-8?B?\(Data(text.utf8).base64EncodedString())?="
        let quoted = text.utf8.map { "=" + hexadecimal($0) }.joined()
        let escaped = text.utf8.map { "%" + hexadecimal($0) }.joined()
        require(ExtendedValue.decode("UTF-8'en'\(escaped)") == text, "an extended value is decoded")
        // A longer word is not decoded.
        guard text.utf8.count < 300 else { return }
        require(EncodedWord.decode(base64) == text, "base64 in an encoded word is decoded")
        require(EncodedWord.decode("=?utf-8?q?\(quoted)?=") == text, "quoted-printable in an encoded word is decoded")
        require(EncodedWord.decode("\(base64) \(base64)") == text + text, "encoded words are joined")
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return byte < 16 ? "0" + digits : digits
    }

    private static func write(_ parts: [Multipart.Part], _ delimiter: [UInt8]) -> [UInt8] {
        parts.reduce([]) { result, part in
            let header = "\r\nContent-Disposition: form-data; name=\(quoted(part.name))\r\n\r\n"
            return result + delimiter + header.utf8 + part.body
        } + delimiter + "--\r\n".utf8
    }
}
