import Foundation
import InferenceService
import Testing

/// The bounded JSON reader and base64.
@Suite struct JSONReaderTests {
    private func isValid(_ text: String) -> Bool {
        var reader = JSONReader(Array(text.utf8)[...])
        do {
            try reader.skip()
            try reader.end()
            return true
        } catch {
            return false
        }
    }

    @Test(
        "Valid JSON is read to its end",
        arguments: [
            "{}", "[]", " [ ] ", "null", "true", "false", "0", "-0.5e+10", "12", "\"\"", "\"\\u00e9\\n\\/\"",
            "[1,2,[3,{}]]",
            "{\"a\":{\"b\":[{},[],\"x\"]},\"c\":null}", "[[],[[]],{\"a\":[]}]", "\t[1 ,\r\n 2]\n",
        ]
    )
    func accepts(_ text: String) { #expect(isValid(text)) }

    @Test(
        "Invalid JSON is an error",
        arguments: [
            "", " ", "{", "[", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{1:2}",
            "{\"a\":1 \"b\":2}",
            "[1}", "{\"a\":1]", "01", "1.", ".5", "-", "+1", "1e", "nul", "tru", "\"a", "\"\\x\"", "\"\\u12g4\"",
            "\"\n\"",
            "[1] 2", "'a'", "NaN", "[1 2]", "]", "}",
        ]
    )
    func rejects(_ text: String) { #expect(!isValid(text)) }

    @Test("Nesting up to the limit is accepted, and any deeper nesting is an error")
    func depth() {
        let most = JSONReader.maximumDepth
        #expect(isValid(String(repeating: "[", count: most) + String(repeating: "]", count: most)))
        #expect(isValid(String(repeating: "{\"a\":", count: most) + "1" + String(repeating: "}", count: most)))
        for count in [most + 1, 1_000_000] {
            var reader = JSONReader(Array(repeating: UInt8(ascii: "["), count: count)[...])
            #expect(throws: JSONError.tooDeep) { try reader.skip() }
        }
    }

    @Test("Strings are unescaped, surrogate pairs joined, and lone surrogates replaced")
    func strings() throws {
        let cases = [
            ("\"a\\\"b\\\\\\/\\b\\f\\n\\r\\t\"", "a\"b\\/\u{8}\u{C}\n\r\t"), ("\"\\ud83d\\ude00\"", "😀"),
            ("\"\\ud83dx\"", "\u{FFFD}x"), ("\"\\ude00\"", "\u{FFFD}"), ("\"\\ud83d\\u0041\"", "\u{FFFD}A"),
            ("\"é😀\"", "é😀"),
        ]
        for (text, expected) in cases {
            var reader = JSONReader(Array(text.utf8)[...])
            #expect(try reader.string(maximumBytes: 100) == expected)
        }
    }

    @Test("A string that is too long or not UTF-8 is an error")
    func limits() {
        var long = JSONReader(Array("\"\(String(repeating: "a", count: 11))\"".utf8)[...])
        #expect(throws: JSONError.tooLong) { try long.string(maximumBytes: 10) }
        var broken = JSONReader([0x22, 0xC3, 0x22])
        #expect(throws: JSONError.invalid) { try broken.string(maximumBytes: 10) }
    }

    @Test("Integers are read in any JSON notation")
    func integers() throws {
        for (text, expected) in [("0", 0), ("-12", -12), ("1.0", 1), ("1e3", 1000)] {
            var reader = JSONReader(Array(text.utf8)[...])
            #expect(try reader.integer() == expected)
        }
        for text in ["1.5", "1e400", "99999999999999999999", "\"1\"", "true"] {
            var reader = JSONReader(Array(text.utf8)[...])
            #expect(throws: JSONError.wrongType) { try reader.integer() }
        }
    }

    @Test("Reading stops soon after cancellation")
    func cancelled() {
        var reader = JSONReader(Array("[\(String(repeating: "1,", count: 100_000))1]".utf8)[...], isCancelled: { true })
        #expect(throws: JSONError.cancelled) { try reader.skip() }
    }

    @Test("base64 decodes in either alphabet, padded or not, with line breaks or escapes, and from a data URL")
    func base64() throws {
        let bytes = (0..<100).map { UInt8(truncatingIfNeeded: $0 &* 37) }
        let text = Data(bytes).base64EncodedString()
        let urlSafe = text.replacing("+", with: "-").replacing("/", with: "_")
        let forms = [
            text, urlSafe, String(text.prefix { $0 != "=" }), text.replacing("/", with: "\\/"),
            text.enumerated().map { $0 > 0 && $0 % 64 == 0 ? "\\r\\n\($1)" : "\($1)" }.joined(),
            "data:image/png;base64,\(text)",
        ]
        for form in forms {
            var reader = JSONReader(Array("\"\(form)\"".utf8)[...])
            let token = try reader.stringToken()
            #expect(Base64.decode(token) == bytes, "\(form)")
            #expect(Base64.decode(token, maximum: 24) == Array(bytes.prefix(24)))
        }
    }

    @Test(
        "Decoding invalid base64 gives nil",
        arguments: ["*", "A", "AAAAA", "AA=A", "AA===", "=", "====", "AAA\u{e9}", "data:x,AAAA"]
    )
    func notBase64(_ text: String) {
        #expect(Base64.decode(JSONReader.StringToken(bytes: Array(text.utf8)[...], hasEscapes: false)) == nil)
    }
}
