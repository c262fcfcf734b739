import HTTP

extension FuzzTarget {
    private static let chunkedHead = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)

    /// Chunked bodies: an accepted body is what a plain decoder gives, and any bytes sent in chunks arrive.
    static func runChunked(_ bytes: [UInt8]) {
        if let (body, rest) = firstBody(bytes) {
            guard let plain = plainlyDecoded(bytes) else { fatalError("broken: an unfinished body was accepted") }
            require(body == plain.body, "the body is the bytes of the chunks")
            require(rest == plain.rest, "the next request starts after the last chunk")
        }
        var pieces = Pieces(of: bytes, longest: 64)
        let sent = firstBody(RequestWriter.chunked(bytes, &pieces))
        require(sent?.body == bytes && sent?.rest == 0, "a body sent in chunks arrives")
    }

    /// The body that the parser reads and the number of bytes left; nil if it fails or needs more bytes.
    private static func firstBody(_ bytes: [UInt8]) -> (body: [UInt8], rest: Int)? {
        var parser = RequestParser()
        parser.append(chunkedHead + bytes)
        while let event = try? parser.next() {
            if case .request(let request) = event { return (request.body, parser.bufferedBytes) }
        }
        return nil
    }

    /// Decodes a body, checking only where chunks begin and end (RFC 9112, section 7.1.3).
    private static func plainlyDecoded(_ bytes: [UInt8]) -> (body: [UInt8], rest: Int)? {
        var body: [UInt8] = []
        var rest = bytes[...]
        while let line = line(&rest) {
            let digits = String(decoding: line.prefix { $0 != UInt8(ascii: ";") && $0 > 0x20 }, as: UTF8.self)
            guard let size = Int(digits, radix: 16) else { return nil }
            if size == 0 {
                while let trailer = self.line(&rest) { if trailer.isEmpty { return (body, rest.count) } }
                return nil
            }
            guard rest.count >= size + 2 else { return nil }
            body += rest.prefix(size)
            rest = rest.dropFirst(size + 2)
        }
        return nil
    }

    private static func line(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.indices.dropLast().first(where: { rest[$0] == 0x0D && rest[$0 + 1] == 0x0A }) else {
            return nil
        }
        defer { rest = rest[(end + 2)...] }
        return rest[..<end]
    }
}
