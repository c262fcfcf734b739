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

    /// base64 in a JSON string: standard texts decode as in Foundation, and partial decoding gives a prefix.
    static func runBase64(_ bytes: [UInt8]) {
        let token = JSONReader.StringToken(bytes: bytes[...], hasEscapes: false)
        let decoded = Base64.decode(token)
        // Foundation also accepts surplus padding.
        let padding = bytes.count { $0 == UInt8(ascii: "=") }
        if bytes.count % 4 == 0, padding <= 2, let standard = Data(base64Encoded: Data(bytes)) {
            require(decoded == Array(standard), "standard base64 decodes as in Foundation")
        }
        guard let decoded else { return }
        require(decoded.count <= bytes.count, "decoding does not add bytes")
        let part = Base64.decode(token, maximum: 7)
        require(part == Array(decoded.prefix(7)), "a partial result is a prefix of the whole")
    }
}
