#ifndef CCURL_H
#define CCURL_H

#include <stddef.h>
#include <stdint.h>

/*
 * HTTP requests with libcurl. curl_easy_setopt is variadic and calls back while a request is performed; both are
 * confined to this file, so that Swift sees functions and buffers only.
 */

#define DIA_CURL_MESSAGE 512

/* Why a request failed. */
typedef enum {
    DIA_CURL_OK = 0,
    DIA_CURL_CONNECT = 1,   /* no connection: name, address, port, proxy, or the time to connect */
    DIA_CURL_TLS = 2,       /* certificates or the handshake */
    DIA_CURL_TIMEOUT = 3,   /* the time of the whole request, after the connection was made */
    DIA_CURL_LOST = 4,      /* the connection ended before the response did */
    DIA_CURL_TOO_LARGE = 5, /* the response exceeds the limit */
    DIA_CURL_INVALID = 6,   /* the response is not HTTP */
    DIA_CURL_OTHER = 7      /* anything else, such as a file that cannot be read */
} dia_curl_failure;

/* One connection at a time, which is kept open and used again. For one thread at a time. */
typedef struct dia_curl dia_curl;

/* Initializes the library; must be called once, before any other function. Returns 0, or -1. */
int dia_curl_initialize(void);

/* Returns NULL if out of memory. */
dia_curl *dia_curl_open(void);
void dia_curl_close(dia_curl *curl);

/* PEM files; NULL for none. They are read when a connection is made. */
void dia_curl_set_authority(dia_curl *curl, const char *path);
void dia_curl_set_certificate(dia_curl *curl, const char *certificate, const char *key);

/* Begins a request: forgets the fields of the last one. */
void dia_curl_begin(dia_curl *curl, const char *url);
/* Sets another method than POST or GET; NULL for none. */
void dia_curl_set_method(dia_curl *curl, const char *method);
/* Adds a header line, "Name: value". Returns 0, or -1 if out of memory. */
int dia_curl_add_field(dia_curl *curl, const char *line);

/*
 * Performs the request: a POST of `size` bytes, or a GET if `body` is NULL. The message describes a failure. At most
 * `maximum` bytes of a response are accepted.
 */
dia_curl_failure dia_curl_perform(dia_curl *curl, const uint8_t *body, size_t size, long connect_milliseconds,
                                  long milliseconds, size_t maximum, char message[DIA_CURL_MESSAGE]);

/* The response; valid until the next request begins. The head has the lines of the final response. */
long dia_curl_status(const dia_curl *curl);
const char *dia_curl_head(const dia_curl *curl, size_t *size);
const uint8_t *dia_curl_body(const dia_curl *curl, size_t *size);

#endif
