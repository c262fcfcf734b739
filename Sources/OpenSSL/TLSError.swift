import COpenSSL

/// Error reported by OpenSSL.
public struct TLSError: Error, CustomStringConvertible {
    /// The failed operation and the reason.
    public let description: String

    /// Takes the reason from the first entry of this thread's error queue (`ERR_get_error`) and empties the queue.
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
