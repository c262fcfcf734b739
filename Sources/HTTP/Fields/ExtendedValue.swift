/// Extended parameter values, `charset'language'percent-encoded` (RFC 5987, section 3.2), as in `filename*`.
package enum ExtendedValue {
    /// Returns the decoded text; nil if it is malformed, or not in UTF-8 or ISO-8859-1.
    package static func decode(_ text: String) -> String? {
        let parts = text.utf8.split(separator: UInt8(ascii: "'"), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count == 3, let charset = TextCharset(String(decoding: parts[0], as: UTF8.self)),
            let bytes = PercentEncoding.decode(parts[2])
        else { return nil }
        return charset.decode(bytes)
    }
}
