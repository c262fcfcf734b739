import COpenSSL

/// A SHA-256 digest of bytes that arrive in pieces.
///
/// Owns one `EVP_MD_CTX`; `@safe` because the pointer never leaves the object.
@safe public final class SHA256Stream {
    private let context: OpaquePointer

    /// Creates the digest of no bytes (`EVP_DigestInit_ex`).
    public init() {
        guard let created = unsafe EVP_MD_CTX_new(), unsafe EVP_DigestInit_ex(created, EVP_sha256(), nil) == 1 else {
            preconditionFailure("OpenSSL does not provide SHA-256")
        }
        unsafe context = created
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    /// Appends `bytes` (`EVP_DigestUpdate`).
    public func append(_ bytes: Span<UInt8>) {
        let status = unsafe bytes.withUnsafeBytes { unsafe EVP_DigestUpdate(context, $0.baseAddress, $0.count) }
        precondition(status == 1, "EVP_DigestUpdate failed")
    }

    /// Returns the 32-byte digest of all bytes (`EVP_DigestFinal_ex`); no more bytes may be appended after it.
    public func finish() -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let status = unsafe digest.withUnsafeMutableBufferPointer {
            unsafe EVP_DigestFinal_ex(context, $0.baseAddress, &length)
        }
        precondition(status == 1 && length == 32, "EVP_DigestFinal_ex failed")
        return Array(digest.prefix(32))
    }
}
