#include "ccurl.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The limit of the head of a response. */
#define MAX_HEAD (64 << 10)
/* Buffers up to this size are kept for the next response. */
#define KEPT_BUFFER (1 << 20)

typedef struct {
    char *bytes;
    size_t size, capacity;
} buffer;

struct dia_curl {
    CURL *easy;
    struct curl_slist *fields;
    buffer head, body;
    size_t maximum;
    int too_large, head_too_large;
    long status;
    char error[CURL_ERROR_SIZE];
};

static int append(buffer *to, const char *bytes, size_t count) {
    if (count > to->capacity - to->size) {
        size_t capacity = to->capacity < 4096 ? 4096 : to->capacity;
        while (capacity - to->size < count) capacity *= 2;
        char *grown = realloc(to->bytes, capacity);
        if (grown == NULL) return -1;
        to->bytes = grown;
        to->capacity = capacity;
    }
    memcpy(to->bytes + to->size, bytes, count);
    to->size += count;
    return 0;
}

static void clear(buffer *of) {
    of->size = 0;
    if (of->capacity <= KEPT_BUFFER) return;
    free(of->bytes);
    *of = (buffer){0};
}

/* A count that differs from the received one ends the transfer. */
static size_t receive_body(char *bytes, size_t size, size_t count, void *context) {
    dia_curl *curl = context;
    size_t total = size * count;
    if (total > curl->maximum - curl->body.size) {
        curl->too_large = 1;
        return 0;
    }
    return append(&curl->body, bytes, total) == 0 ? total : 0;
}

static size_t receive_head(char *bytes, size_t size, size_t count, void *context) {
    dia_curl *curl = context;
    size_t total = size * count;
    /* Each response begins with a status line: that of a proxy, of 100 Continue, and the final one. */
    if (total >= 5 && memcmp(bytes, "HTTP/", 5) == 0) curl->head.size = 0;
    if (total > MAX_HEAD - curl->head.size) {
        curl->head_too_large = 1;
        return 0;
    }
    return append(&curl->head, bytes, total) == 0 ? total : 0;
}

int dia_curl_initialize(void) { return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1; }

dia_curl *dia_curl_open(void) {
    dia_curl *curl = calloc(1, sizeof *curl);
    if (curl == NULL) return NULL;
    curl->easy = curl_easy_init();
    if (curl->easy == NULL) {
        free(curl);
        return NULL;
    }
    curl_easy_setopt(curl->easy, CURLOPT_ERRORBUFFER, curl->error);
    curl_easy_setopt(curl->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl->easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl->easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl->easy, CURLOPT_TCP_KEEPALIVE, 1L);
    /* Otherwise OpenSSL asks for the passphrase of a key on the terminal. */
    curl_easy_setopt(curl->easy, CURLOPT_KEYPASSWD, "");
    curl_easy_setopt(curl->easy, CURLOPT_WRITEFUNCTION, receive_body);
    curl_easy_setopt(curl->easy, CURLOPT_WRITEDATA, curl);
    curl_easy_setopt(curl->easy, CURLOPT_HEADERFUNCTION, receive_head);
    curl_easy_setopt(curl->easy, CURLOPT_HEADERDATA, curl);
    return curl;
}

void dia_curl_close(dia_curl *curl) {
    curl_easy_cleanup(curl->easy);
    curl_slist_free_all(curl->fields);
    free(curl->head.bytes);
    free(curl->body.bytes);
    free(curl);
}

void dia_curl_set_authority(dia_curl *curl, const char *path) {
    if (path == NULL) return;
    curl_easy_setopt(curl->easy, CURLOPT_CAINFO, path);
    /* Only this authority, not those of the system. */
    curl_easy_setopt(curl->easy, CURLOPT_CAPATH, NULL);
}

void dia_curl_set_certificate(dia_curl *curl, const char *certificate, const char *key) {
    if (certificate != NULL) curl_easy_setopt(curl->easy, CURLOPT_SSLCERT, certificate);
    if (key != NULL) curl_easy_setopt(curl->easy, CURLOPT_SSLKEY, key);
}

void dia_curl_begin(dia_curl *curl, const char *url) {
    curl_slist_free_all(curl->fields);
    curl->fields = NULL;
    clear(&curl->head);
    clear(&curl->body);
    curl->status = 0;
    curl_easy_setopt(curl->easy, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(curl->easy, CURLOPT_URL, url);
}

void dia_curl_set_method(dia_curl *curl, const char *method) {
    curl_easy_setopt(curl->easy, CURLOPT_CUSTOMREQUEST, method);
}

int dia_curl_add_field(dia_curl *curl, const char *line) {
    struct curl_slist *longer = curl_slist_append(curl->fields, line);
    if (longer == NULL) return -1;
    curl->fields = longer;
    return 0;
}

static int is_connected(CURL *easy) {
    double connected = 0, secured = 0;
    const char *scheme = NULL;
    curl_easy_getinfo(easy, CURLINFO_CONNECT_TIME, &connected);
    curl_easy_getinfo(easy, CURLINFO_APPCONNECT_TIME, &secured);
    curl_easy_getinfo(easy, CURLINFO_SCHEME, &scheme);
    long made = 0;
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &made);
    /* On a connection that is used again, the times are 0. */
    if (made == 0) return 1;
    return connected > 0 && (scheme == NULL || strcasecmp(scheme, "https") != 0 || secured > 0);
}

static dia_curl_failure failure(const dia_curl *curl, CURLcode code) {
    switch (code) {
    case CURLE_OK: return DIA_CURL_OK;
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY: return DIA_CURL_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: return is_connected(curl->easy) ? DIA_CURL_TIMEOUT : DIA_CURL_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ENGINE_SETFAILED:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_ENGINE_INITFAILED:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_SHUTDOWN_FAILED:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT: return DIA_CURL_TLS;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        /* In TLS 1.3 a server rejects a client's certificate after the handshake. */
        return strstr(curl->error, "alert") != NULL ? DIA_CURL_TLS : DIA_CURL_LOST;
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE: return DIA_CURL_LOST;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_HTTP2:
    case CURLE_BAD_CONTENT_ENCODING: return DIA_CURL_INVALID;
    case CURLE_OUT_OF_MEMORY: /* also a header line beyond libcurl's own limit */
    case CURLE_WRITE_ERROR: return curl->too_large ? DIA_CURL_TOO_LARGE : DIA_CURL_INVALID;
    default: return DIA_CURL_OTHER;
    }
}

dia_curl_failure dia_curl_perform(dia_curl *curl, const uint8_t *body, size_t size, long connect_milliseconds,
                                  long milliseconds, size_t maximum, char message[DIA_CURL_MESSAGE]) {
    curl->maximum = maximum;
    curl->too_large = curl->head_too_large = 0;
    curl->error[0] = 0;
    if (body != NULL) {
        curl_easy_setopt(curl->easy, CURLOPT_POST, 1L);
        /* The bytes are not copied. */
        curl_easy_setopt(curl->easy, CURLOPT_POSTFIELDS, (const char *)body);
        curl_easy_setopt(curl->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)size);
    } else {
        curl_easy_setopt(curl->easy, CURLOPT_POSTFIELDS, NULL);
        curl_easy_setopt(curl->easy, CURLOPT_HTTPGET, 1L);
    }
    curl_easy_setopt(curl->easy, CURLOPT_HTTPHEADER, curl->fields);
    curl_easy_setopt(curl->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_milliseconds);
    curl_easy_setopt(curl->easy, CURLOPT_TIMEOUT_MS, milliseconds);
    CURLcode code = curl_easy_perform(curl->easy);
    curl_easy_setopt(curl->easy, CURLOPT_HTTPHEADER, NULL);
    curl_easy_setopt(curl->easy, CURLOPT_POSTFIELDS, NULL);
    curl_easy_getinfo(curl->easy, CURLINFO_RESPONSE_CODE, &curl->status);
    const char *text = curl->error[0] != 0 ? curl->error : curl_easy_strerror(code);
    if (curl->head_too_large || code == CURLE_OUT_OF_MEMORY) text = "its head is too large";
    strncpy(message, text, DIA_CURL_MESSAGE - 1);
    message[DIA_CURL_MESSAGE - 1] = 0;
    return failure(curl, code);
}

long dia_curl_status(const dia_curl *curl) { return curl->status; }

const char *dia_curl_head(const dia_curl *curl, size_t *size) {
    *size = curl->head.size;
    return curl->head.bytes;
}

const uint8_t *dia_curl_body(const dia_curl *curl, size_t *size) {
    *size = curl->body.size;
    return (const uint8_t *)curl->body.bytes;
}
