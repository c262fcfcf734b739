import OpenSSL

/// SHA-256 digests of files and values.
enum FileDigest {
    /// The digest in lowercase hexadecimal.
    static func hexadecimal(_ bytes: [UInt8]) -> String { SHA256.hexadecimal(bytes) }
}
