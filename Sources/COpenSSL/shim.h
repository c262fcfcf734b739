#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <string.h>

/* Wrappers of macros, which Swift cannot import. */
static inline int dia_ssl_ctx_set_versions(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION);
}
static inline int dia_ssl_ctx_set_groups(SSL_CTX *context, const char *groups) {
    return (int)SSL_CTX_set1_groups_list(context, groups);
}
static inline void dia_ssl_ctx_disable_cache(SSL_CTX *context) {
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}
static inline void dia_ssl_ctx_set_options(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
}

/* Application-Layer Protocol Negotiation (RFC 7301): selects http/1.1, else the handshake fails. */
static inline int dia_alpn_select(SSL *session, const unsigned char **out, unsigned char *out_length,
                                  const unsigned char *in, unsigned int in_length, void *argument) {
    (void)session, (void)argument;
    for (unsigned int i = 0; i < in_length && in[i] <= in_length - i - 1; i += 1u + in[i])
        if (in[i] == 8 && memcmp(in + i + 1, "http/1.1", 8) == 0) {
            *out = in + i + 1, *out_length = 8;
            return SSL_TLSEXT_ERR_OK;
        }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}
static inline void dia_ssl_ctx_set_alpn(SSL_CTX *context) {
    SSL_CTX_set_alpn_select_cb(context, dia_alpn_select, NULL);
}

/* Disables the passphrase prompt on a terminal: a key with a passphrase is an error. */
static inline int dia_no_passphrase(char *buffer, int size, int writing, void *argument) {
    (void)buffer, (void)size, (void)writing, (void)argument;
    return -1;
}
static inline void dia_ssl_ctx_reject_passphrase(SSL_CTX *context) {
    SSL_CTX_set_default_passwd_cb(context, dia_no_passphrase);
}

/* Returns a certificate's time in seconds since 1970; on failure returns 0 and sets `failed` to -1. */
static inline long long dia_asn1_seconds(const ASN1_TIME *time, int *failed) {
    int days = 0, seconds = 0;
    ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
    *failed = epoch != NULL && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1 ? 0 : -1;
    ASN1_TIME_free(epoch);
    return *failed ? 0 : days * 86400LL + seconds;
}

/* Returns a certificate's subject (RFC 2253, UTF-8), which the caller frees with OPENSSL_free; NULL on failure. */
static inline char *dia_x509_subject(const X509 *certificate, size_t *length) {
    BIO *memory = BIO_new(BIO_s_mem());
    if (memory == NULL) return NULL;
    unsigned long flags = (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
    char *copy = NULL, *text = NULL;
    if (X509_NAME_print_ex(memory, X509_get_subject_name(certificate), 0, flags) >= 0) {
        long count = BIO_get_mem_data(memory, &text);
        copy = count >= 0 ? OPENSSL_malloc((size_t)count + 1) : NULL;
        if (copy != NULL) {
            memcpy(copy, text, (size_t)count);
            copy[count] = 0;
            *length = (size_t)count;
        }
    }
    BIO_free(memory);
    return copy;
}
static inline void dia_openssl_free(void *memory) { OPENSSL_free(memory); }
