import COpenSSL

/// TLS state of one connection: takes received bytes and returns bytes to send, without a socket.
///
/// Not thread-safe.
@safe public final class TLSSession {
    private let session: OpaquePointer
    /// Memory buffers that OpenSSL reads from and writes to; both belong to the session.
    private let incoming, outgoing: OpaquePointer
    private static let recordSize = 16_384

    /// Whether the handshake is complete.
    public var isEstablished: Bool { unsafe SSL_is_init_finished(session) == 1 }

    /// The verified client certificate; nil if the client presented none (`SSL_get1_peer_certificate`).
    public var peerCertificate: Certificate? {
        guard unsafe SSL_get_verify_result(session) == X509_V_OK,
            let certificate = unsafe SSL_get1_peer_certificate(session)
        else { return nil }
        defer { unsafe X509_free(certificate) }
        return try? unsafe Certificate(certificate)
    }

    /// Whether the peer has closed its sending direction (close_notify; RFC 8446, section 6.1).
    public private(set) var hasEnded = false

    /// Creates a session that waits for a ClientHello.
    public init(_ context: TLSContext) throws(TLSError) {
        guard let session = unsafe SSL_new(context.pointer) else { throw TLSError("cannot create a TLS session") }
        guard let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem()) else {
            unsafe SSL_free(session)
            throw TLSError("cannot create a TLS session")
        }
        unsafe SSL_set_bio(session, incoming, outgoing)
        unsafe SSL_set_accept_state(session)
        unsafe (self.session, self.incoming, self.outgoing) = unsafe (session, incoming, outgoing)
    }

    deinit { unsafe SSL_free(session) }

    /// Decrypts received bytes (`SSL_read`).
    ///
    /// There may be bytes to send afterward, even if this throws: a TLS alert.
    public func open(_ bytes: ArraySlice<UInt8>) throws(TLSError) -> [UInt8] {
        ERR_clear_error()
        let taken = unsafe bytes.withUnsafeBytes { unsafe BIO_write(incoming, $0.baseAddress, Int32($0.count)) }
        guard bytes.isEmpty || taken == bytes.count else { throw TLSError("out of memory for received bytes") }
        var plain: [UInt8] = []
        var record = [UInt8](repeating: 0, count: Self.recordSize)
        while true {
            let count = unsafe record.withUnsafeMutableBytes {
                unsafe SSL_read(session, $0.baseAddress, Int32($0.count))
            }
            if count > 0 {
                plain += record[..<Int(count)]
                continue
            }
            switch unsafe SSL_get_error(session, count) {
            case SSL_ERROR_WANT_READ: return plain
            case SSL_ERROR_ZERO_RETURN:
                hasEnded = true
                return plain
            default: throw TLSError("TLS failed")
            }
        }
    }

    /// Encrypts `bytes` (`SSL_write`).
    public func seal(_ bytes: ArraySlice<UInt8>) throws(TLSError) {
        var rest = bytes
        while !rest.isEmpty {
            ERR_clear_error()
            let count = unsafe rest.prefix(1 << 20).withUnsafeBytes {
                unsafe SSL_write(session, $0.baseAddress, Int32($0.count))
            }
            guard count > 0 else { throw TLSError("cannot encrypt data for TLS") }
            rest = rest.dropFirst(Int(count))
        }
    }

    /// Sends close_notify (`SSL_shutdown`).
    public func end() {
        ERR_clear_error()
        // This does nothing if the session failed or its handshake is not complete.
        _ = unsafe SSL_shutdown(session)
        ERR_clear_error()
    }

    /// Returns and removes the bytes to send.
    public func takeOutgoing() -> [UInt8] {
        let count = unsafe BIO_ctrl_pending(outgoing)
        guard count > 0 else { return [] }
        return unsafe [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, Int(unsafe BIO_read(outgoing, buffer.baseAddress, Int32(clamping: count))))
        }
    }
}
