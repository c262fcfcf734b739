import OpenSSL

/// UIDs that are always the same for the same source, so that writing an object again writes the same one.
enum DerivedUID {
    /// Returns a UID below 2.25 (PS3.5, section B.2) from the SHA-256 digest of `parts`.
    static func make(_ parts: String...) -> String {
        // Each part ends with a byte that no part has, so that different parts have different bytes.
        var digest = Array(SHA256.digest(parts.flatMap { Array($0.utf8) + [0] }).prefix(16))
        // A UUID of version 8, whose other bits are free (RFC 9562, section 5.8).
        digest[6] = digest[6] & 0x0F | 0x80
        digest[8] = digest[8] & 0x3F | 0x80
        let number = digest.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
        return "2.25.\(number)"
    }

    /// The UID of this implementation.
    static let implementation = make("DIA")
}
