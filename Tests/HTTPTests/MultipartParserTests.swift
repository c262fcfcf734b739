import HTTP
import Testing

/// Forms that arrive in pieces.
@Suite struct MultipartParserTests {
    private static let body = Array(
        ("preamble\r\n--b \t\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n\r\n--c\r\n-\r\n--b\r\n"
            + "Content-Disposition: form-data; name=other\r\n\r\n\r\n--b\r\n"
            + "content-disposition: form-data; name=image\r\n\r\n0123456789\r\n--b--\r\nepilogue").utf8
    )

    /// The names and bodies of the parts, or "too large", and the error at last.
    private func parts(_ body: [UInt8], by size: Int, limit: Int = 100) -> [String] {
        var parser = MultipartParser(boundary: "b", limit: limit)
        var (found, rest) = ([String](), body[...])
        do throws(RequestError) {
            repeat {
                let piece = rest.prefix(size)
                rest = rest.dropFirst(size)
                parser.append(Array(piece), isLast: rest.isEmpty)
                search: while true {
                    switch try parser.step() {
                    case .part(let part): found.append("\(part.name) \(String(decoding: part.body, as: UTF8.self))")
                    case .tooLarge(let name, let filename): found.append("\(name) \(filename ?? "") too large")
                    case .end, .needsMore: break search
                    }
                }
            } while !rest.isEmpty
        } catch {
            found.append(error.reason)
        }
        return found
    }

    @Test("The split of a form does not change its parts", arguments: 1...40)
    func splits(by size: Int) {
        #expect(parts(Self.body, by: size) == ["image \r\n--c\r\n-", "other ", "image 0123456789"])
    }

    @Test("A form that breaks off gives its whole parts and an error", arguments: [1, 7, 1000])
    func truncated(by size: Int) {
        for length in Self.body.indices.dropLast(12) {
            let found = parts(Array(Self.body[..<length]), by: size)
            #expect(
                found.last?.hasPrefix("a multipart boundary") == true
                    || found.last?.hasPrefix("the multipart body") == true
            )
            #expect(found.count <= 4)
        }
    }

    @Test(
        "A part that is too large is discarded as it arrives, and the parts after it are found",
        arguments: [1000, 9999]
    )
    func tooLarge(by size: Int) {
        let large =
            "--b\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\n"
            + String(repeating: "x", count: 200_000) + "\r\n"
        let body = Array(large.utf8) + Self.body.dropFirst(10)
        var parser = MultipartParser(boundary: "b", limit: 100)
        parser.append(Array(body.prefix(150_000)), isLast: false)
        _ = try? parser.step()
        #expect(parser.bufferedBytes < 1000)
        let found = parts(body, by: size)
        #expect(found == ["image a too large", "image \r\n--c\r\n-", "other ", "image 0123456789"])
    }

    @Test("A body without a boundary is refused before it has arrived")
    func noBoundary() {
        var parser = MultipartParser(boundary: "b", limit: 1 << 30)
        parser.append([UInt8](repeating: 0x78, count: 100_000), isLast: false)
        #expect(throws: RequestError.self) { _ = try parser.step() }
    }
}
