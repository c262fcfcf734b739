import Foundation
import InferenceService

extension FuzzTarget {
    /// JSON texts: Foundation accepts what the reader skips to the end, and both read the same strings.
    static func runJSON(_ bytes: [UInt8]) {
        var reader = JSONReader(bytes[...])
        let isValid: Bool
        do {
            try reader.skip()
            try reader.end()
            isValid = true
        } catch {
            require(error != .cancelled && error != .tooLong, "skipping is neither cancelled nor limited in length")
            isValid = false
        }
        // Foundation accepts a byte order mark and other encodings; the reader accepts only UTF-8 without one.
        guard String(validating: bytes, as: UTF8.self) != nil, bytes.first != 0xEF, !bytes.contains(0) else { return }
        let value = try? JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
        if isValid, value == nil { require(isExtreme(bytes), "Foundation accepts what the reader skips") }
        var strings = JSONReader(bytes[...])
        guard isValid, let text = value as? String, let read = try? strings.string(maximumBytes: bytes.count) else {
            return
        }
        require(read == text, "both read the same string")
    }

    /// Whether a text contains something Foundation may reject: numbers out of its range, lone surrogates.
    private static func isExtreme(_ bytes: [UInt8]) -> Bool {
        bytes.contains(UInt8(ascii: "e")) || bytes.contains(UInt8(ascii: "E"))
            || bytes.count { (0x30...0x39).contains($0) } > 15 || bytes.contains(UInt8(ascii: "\\"))
    }

    /// base64 in a JSON string: what Foundation encodes decodes to the same bytes, and partial decoding gives a prefix.
    static func runBase64(_ bytes: [UInt8]) {
        func token(_ text: [UInt8]) -> JSONReader.StringToken {
            JSONReader.StringToken(bytes: text[...], hasEscapes: false)
        }
        let encoded = Array(Data(bytes).base64EncodedData())
        require(Base64.decode(token(encoded)) == bytes, "encoded bytes decode to the same bytes")
        guard let decoded = Base64.decode(token(bytes)) else { return }
        require(decoded.count <= bytes.count, "decoding does not add bytes")
        require(Base64.decode(token(bytes), maximum: 7) == Array(decoded.prefix(7)), "a part is a prefix of the whole")
    }
}
