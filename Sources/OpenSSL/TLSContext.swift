import COpenSSL

/// Server configuration of TLS 1.2 and 1.3: certificate, key and accepted client certificates.
///
/// `@unchecked Sendable`: a configured `SSL_CTX` is only read, and its reference count is atomic.
@safe public final class TLSContext: @unchecked Sendable {
    /// PEM files of a context.
    public struct Files: Sendable, Hashable {
        /// The certificate, followed by its chain toward a root.
        public var certificate: String
        /// The private key, without a passphrase.
        public var key: String
        /// Certificate authorities of accepted client certificates; nil requests no client certificate.
        public var clientAuthority: String?
        /// Whether clients without a certificate are rejected.
        public var requiresClientCertificate: Bool

        /// Creates the file paths.
        public init(certificate: String, key: String, clientAuthority: String?, requiresClientCertificate: Bool) {
            self.certificate = certificate
            self.key = key
            self.clientAuthority = clientAuthority
            self.requiresClientCertificate = requiresClientCertificate
        }
    }

    let pointer: OpaquePointer
    /// The server's own certificate.
    public let certificate: Certificate

    /// Reads the files; an error names the file that is invalid.
    ///
    /// Only cipher suites with forward secrecy and authenticated encryption are enabled. Sessions are not resumed: a
    /// ticket key that lives as long as the process would break the forward secrecy of earlier connections.
    public init(_ files: Files) throws(TLSError) {
        guard let pointer = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSError("cannot set up TLS") }
        do {
            certificate = try unsafe Self.configure(pointer, files)
        } catch {
            unsafe SSL_CTX_free(pointer)
            throw error
        }
        unsafe self.pointer = unsafe pointer
    }

    /// Configures `pointer`; returns its certificate.
    private static func configure(_ pointer: OpaquePointer, _ files: Files) throws(TLSError) -> Certificate {
        ERR_clear_error()
        unsafe dia_ssl_ctx_set_options(pointer)
        unsafe dia_ssl_ctx_disable_cache(pointer)
        unsafe dia_ssl_ctx_set_alpn(pointer)
        unsafe dia_ssl_ctx_reject_passphrase(pointer)
        guard unsafe dia_ssl_ctx_set_versions(pointer) == 1,
            unsafe SSL_CTX_set_cipher_list(pointer, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
            unsafe dia_ssl_ctx_set_groups(pointer, "X25519:P-256:P-384") == 1
        else { throw TLSError("cannot set up TLS") }
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, files.certificate) == 1,
            let leaf = unsafe SSL_CTX_get0_certificate(pointer)
        else { throw TLSError("cannot use the certificate \(files.certificate)") }
        let certificate = try unsafe Certificate(leaf)
        guard unsafe SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1,
            let key = unsafe SSL_CTX_get0_privatekey(pointer)
        else { throw TLSError("cannot use the private key \(files.key)") }
        // A key of another type than the certificate's would be accepted, but every handshake would fail.
        guard unsafe X509_check_private_key(leaf, key) == 1 else {
            throw TLSError("the private key \(files.key) does not match the certificate \(files.certificate)")
        }
        guard let authority = files.clientAuthority else { return certificate }
        guard unsafe SSL_CTX_load_verify_file(pointer, authority) == 1,
            let names = unsafe SSL_load_client_CA_file(authority)
        else { throw TLSError("cannot use the client authority \(authority)") }
        unsafe SSL_CTX_set_client_CA_list(pointer, names)
        let required = files.requiresClientCertificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | required, nil)
        return certificate
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}
