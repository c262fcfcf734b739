import HTTP
import Testing

/// Parts of forms as browsers, curl and mail libraries write them.
@Suite struct MultipartTests {
    /// The only part of a form with the header lines `header`.
    private func part(_ header: String) throws -> Multipart.Part {
        let body = Array("--b\r\n\(header)\r\n\r\nbytes\r\n--b--\r\n".utf8)
        let parts = try Multipart.parse(body, boundary: "b")
        try #require(parts.count == 1 && Array(parts[0].body) == Array("bytes".utf8))
        return parts[0]
    }

    @Test(
        "A file name is what the user's file is called, however the client encodes it",
        arguments: [
            (#"filename="a.png""#, "a.png"), ("filename=a.png", "a.png"),
            (#"filename="C:\scans\a.png""#, #"C:\scans\a.png"#),
            (#"filename="C:\\scans\\a.png""#, #"C:\scans\a.png"#), (#"filename="a \"b\".png""#, #"a "b".png"#),
            (#"filename="a;b\;c.png"; x=y"#, #"a;b\;c.png"#), (#"filename="scans\""#, #"scans\"#),
            ("filename*=UTF-8''%C3%A4%20b.png", "ä b.png"), ("filename*=iso-8859-1'en'%E4.png", "ä.png"),
            (#"filename="a.png"; filename*=UTF-8''%C3%A4.png"#, "ä.png"),
            (#"filename*=UTF-8''%C3%A4.png; filename="a.png""#, "ä.png"),
            (#"filename="a.png"; filename*=UTF-8''%C3.png"#, "a.png"),
            (#"filename="a.png"; filename*=koi8-r''%C3.png"#, "a.png"),
            (#"filename="=?UTF-8?B?w6QucG5n?=""#, "ä.png"), (#"filename="=?iso-8859-1?Q?=E4_b.png?=""#, "ä b.png"),
            (#"filename="ä.png""#, "ä.png"),
        ]
    )
    func filenames(_ parameter: String, name: String) throws {
        let part = try part("Content-Disposition: form-data; name=\"image\"; \(parameter)")
        #expect(part.name == "image" && part.filename == name)
    }

    @Test(
        "Encoded words are decoded, joined, or kept if they are not valid",
        arguments: [
            ("=?utf-8?q?a=C3=A4?=", "aä"), ("=?UTF-8?b?w6Q=?= x", "ä x"), ("=?UTF-8?B?w6Q?=", "ä"),
            ("a =?us-ascii?Q?b?= c", "a b c"), ("=?utf-8?q?a?=  =?utf-8?q?b?=", "ab"),
            // A character divided between two words.
            ("=?utf-8?q?=C3?= =?utf-8?q?=A4?=", "ä"), ("=?utf-8?q?a?= =?iso-8859-1?q?=E4?=", "aä"),
            ("=?utf-8*de?q?=C3=A4?=", "ä"), ("=?utf-8?q?=C3?=", "=?utf-8?q?=C3?="),
            ("=?utf-8?q?=GG?=", "=?utf-8?q?=GG?="),
            ("=?koi8-r?q?a?=", "=?koi8-r?q?a?="), ("=?utf-8?b?a?=", "=?utf-8?b?a?="),
            ("=?utf-8?b?w6Q==?=", "=?utf-8?b?w6Q==?="),
            ("=?utf-8?x?a?=", "=?utf-8?x?a?="), ("=?utf-8?q?a", "=?utf-8?q?a"), ("=?utf-8?q?", "=?utf-8?q?"),
            ("=?", "=?"),
            ("a=b", "a=b"), ("", ""), ("=?utf-8?q??=", ""),
        ]
    )
    func encodedWords(_ text: String, decoded: String) { #expect(EncodedWord.decode(text) == decoded) }

    @Test("Folded header lines are unfolded, and other fields do not matter")
    func folding() throws {
        let header =
            "X-A: b\r\nContent-Disposition: form-data;\r\n name=\"image\";\r\n\tfilename=\"a\r\n b.png\"\r\nX-B: c"
        let part = try part(header)
        #expect(part.name == "image" && part.filename == "a b.png")
        // A line break elsewhere is not one of a header.
        #expect(throws: RequestError.self) { try self.part("X-A: b\u{2028}Content-Disposition: form-data; name=image") }
        #expect(throws: RequestError.self) { try self.part(" Content-Disposition: form-data; name=image") }
    }

    @Test(
        "The transfer encoding of a part is recognized",
        arguments: [
            ("", Multipart.TransferEncoding.identity), ("Content-Transfer-Encoding: binary\r\n", .identity),
            ("Content-Transfer-Encoding: 8BIT\r\n", .identity), ("content-transfer-encoding:7bit\r\n", .identity),
            ("Content-Transfer-Encoding: Base64\r\n", .base64), ("Content-Transfer-Encoding:\r\n base64\r\n", .base64),
            ("Content-Transfer-Encoding: quoted-printable\r\n", .other("quoted-printable")),
            ("Content-Transfer-Encoding: x-Uuencode\r\n", .other("x-uuencode")),
        ]
    )
    func transferEncodings(_ line: String, encoding: Multipart.TransferEncoding) throws {
        #expect(try part("\(line)Content-Disposition: form-data; name=image").encoding == encoding)
    }
}
