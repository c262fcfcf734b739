import COpenSSL

/// The SHA-256 digest.
public enum SHA256 {
    /// Returns the 32-byte digest of `bytes` (`EVP_Digest`).
    public static func digest(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        let bytes = Array(bytes)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var length: UInt32 = 0
        let status = unsafe bytes.withUnsafeBytes { source in
            unsafe digest.withUnsafeMutableBufferPointer { target in
                unsafe EVP_Digest(source.baseAddress, source.count, target.baseAddress, &length, EVP_sha256(), nil)
            }
        }
        precondition(status == 1 && length == 32, "OpenSSL does not provide SHA-256")
        return Array(digest.prefix(32))
    }

    /// Returns the digest of `bytes` in lowercase hexadecimal.
    public static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String { hexadecimal(digest: digest(bytes)) }

    /// Returns `digest` in lowercase hexadecimal.
    public static func hexadecimal(digest: [UInt8]) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}

/// Whether two secrets are equal; the time depends only on their lengths (`CRYPTO_memcmp`).
public func equalInConstantTime(_ first: [UInt8], _ second: [UInt8]) -> Bool {
    guard first.count == second.count else { return false }
    return unsafe first.withUnsafeBytes { first in
        unsafe second.withUnsafeBytes { unsafe CRYPTO_memcmp(first.baseAddress, $0.baseAddress, first.count) == 0 }
    }
}
