#include <zlib.h>

/* Macros, which Swift cannot import: raw deflate streams, as in zip archives, zlib, and gzip (16 more). */
static inline int dia_inflate_init_raw(z_stream *stream) { return inflateInit2(stream, -MAX_WBITS); }
static inline int dia_inflate_init_zlib(z_stream *stream) { return inflateInit2(stream, MAX_WBITS); }
static inline int dia_inflate_init_gzip(z_stream *stream) { return inflateInit2(stream, MAX_WBITS + 16); }
static inline int dia_deflate_init_gzip(z_stream *stream) {
    return deflateInit2(stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
}
