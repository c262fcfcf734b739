import COpenSSL

/// What OpenSSL refused, in its own words.
public struct TLSError: Error, CustomStringConvertible {
    /// What was tried, and why it failed.
    public let description: String

    /// The first entry of this thread's error queue as the reason (`ERR_get_error`); the queue is emptied.
    init(_ attempt: String) {
        let code = ERR_get_error()
        var text = [CChar](repeating: 0, count: 256)
        unsafe text.withUnsafeMutableBufferPointer { unsafe ERR_error_string_n(code, $0.baseAddress, $0.count) }
        ERR_clear_error()
        // "error:0A000086:SSL routines::certificate verify failed"
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let reason = words.split(separator: ":").last.map(String.init) ?? words
        description = code == 0 ? attempt : "\(attempt): \(reason)"
    }
}
