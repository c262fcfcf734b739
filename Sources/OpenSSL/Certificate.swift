import COpenSSL

/// The used fields of a certificate (RFC 5280).
public struct Certificate: Sendable, Hashable {
    /// The subject's distinguished name (RFC 2253), such as "CN=pacs,O=Radiology".
    public let subject: String
    /// The SHA-256 digest of the DER encoding.
    public let fingerprint: [UInt8]
    /// Start and end of the certificate's validity, in seconds since 1970.
    public let notBefore, notAfter: Int

    /// Reads an OpenSSL certificate, which the caller keeps.
    init(_ certificate: OpaquePointer) throws(TLSError) {
        var length = 0
        guard let text = unsafe dia_x509_subject(certificate, &length) else {
            throw TLSError("the subject of a certificate cannot be read")
        }
        defer { unsafe dia_openssl_free(text) }
        subject = unsafe String(decoding: UnsafeRawBufferPointer(start: text, count: length), as: UTF8.self)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var size: UInt32 = 0
        guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &size) == 1 else {
            throw TLSError("the digest of a certificate cannot be computed")
        }
        fingerprint = Array(digest.prefix(Int(size)))
        var failures: (Int32, Int32) = (0, 0)
        notBefore = Int(unsafe dia_asn1_seconds(X509_get0_notBefore(certificate), &failures.0))
        notAfter = Int(unsafe dia_asn1_seconds(X509_get0_notAfter(certificate), &failures.1))
        guard failures == (0, 0) else { throw TLSError("the validity of a certificate cannot be read") }
    }

    /// Returns why the certificate is not valid at `time`, in seconds since 1970; nil if it is valid.
    public func invalidity(at time: Int) -> String? {
        if time < notBefore { return "is not valid yet" }
        return time > notAfter ? "has expired" : nil
    }
}
