import COpenSSL

/// The server's side of TLS 1.2 and 1.3: certificate, key, and whose clients are let in.
///
/// `@unchecked Sendable`: an `SSL_CTX` that is configured is only read, and counts its users atomically.
@safe public final class TLSContext: @unchecked Sendable {
    /// The PEM files that a context is made of.
    public struct Files: Sendable, Hashable {
        /// The certificate and those that lead to a root, in this order.
        public var certificate: String
        /// The private key, without a passphrase.
        public var key: String
        /// The authorities whose clients' certificates are accepted; nil asks for none.
        public var clientAuthority: String?
        /// Whether a client without a certificate is turned away.
        public var requiresClientCertificate: Bool

        /// Files by their paths.
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

    /// Reads the files; an error names the one that is wrong.
    ///
    /// Forward secrecy and authenticated encryption only. Sessions are not resumed: a ticket's key that lives as
    /// long as the process would undo the secrecy of all that came before.
    public init(_ files: Files) throws(TLSError) {
        guard let pointer = unsafe SSL_CTX_new(TLS_server_method()) else { throw TLSError("TLS cannot be set up") }
        do {
            certificate = try unsafe Self.configure(pointer, files)
        } catch {
            unsafe SSL_CTX_free(pointer)
            throw error
        }
        unsafe self.pointer = unsafe pointer
    }

    /// Sets up `pointer`; returns its certificate.
    private static func configure(_ pointer: OpaquePointer, _ files: Files) throws(TLSError) -> Certificate {
        ERR_clear_error()
        unsafe dia_ssl_ctx_set_options(pointer)
        unsafe dia_ssl_ctx_disable_cache(pointer)
        unsafe dia_ssl_ctx_set_alpn(pointer)
        unsafe dia_ssl_ctx_refuse_passphrase(pointer)
        guard unsafe dia_ssl_ctx_set_versions(pointer) == 1,
            unsafe SSL_CTX_set_cipher_list(pointer, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1,
            unsafe dia_ssl_ctx_set_groups(pointer, "X25519:P-256:P-384") == 1
        else { throw TLSError("TLS cannot be set up") }
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, files.certificate) == 1,
            let leaf = unsafe SSL_CTX_get0_certificate(pointer)
        else { throw TLSError("the certificate \(files.certificate) cannot be used") }
        let certificate = try unsafe Certificate(leaf)
        guard unsafe SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1,
            let key = unsafe SSL_CTX_get0_privatekey(pointer)
        else { throw TLSError("the private key \(files.key) cannot be used") }
        // A key of another type than the certificate's would stand beside it, and no handshake would succeed.
        guard unsafe X509_check_private_key(leaf, key) == 1 else {
            throw TLSError("the private key \(files.key) does not belong to the certificate \(files.certificate)")
        }
        guard let authority = files.clientAuthority else { return certificate }
        guard unsafe SSL_CTX_load_verify_file(pointer, authority) == 1,
            let names = unsafe SSL_load_client_CA_file(authority)
        else { throw TLSError("the client authority \(authority) cannot be used") }
        unsafe SSL_CTX_set_client_CA_list(pointer, names)
        let required = files.requiresClientCertificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | required, nil)
        return certificate
    }

    deinit { unsafe SSL_CTX_free(pointer) }
}
