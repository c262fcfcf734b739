#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* Limits on what one file may make libpng allocate beside the pixels. */
#define MAX_SIDE 0x7fffffff
#define MAX_CHUNK_BYTES 65536
#define MAX_CACHED_CHUNKS 16

typedef struct {
    const uint8_t *data;
    size_t size, position;
    char *message;
} source;

static void fail(png_structp png, png_const_charp text) {
    source *from = png_get_error_ptr(png);
    strncpy(from->message, text, DIA_PNG_MESSAGE - 1);
    from->message[DIA_PNG_MESSAGE - 1] = 0;
    png_longjmp(png, 1);
}

/* A warning is about something the decoder can live with; nothing is printed. */
static void ignore(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    source *from = png_get_io_ptr(png);
    if (count > from->size - from->position) png_error(png, "the file is cut short");
    memcpy(target, from->data + from->position, count);
    from->position += count;
}

/* Opens a reader that skips every ancillary chunk but tRNS. Must be called with setjmp in place. */
static void prepare(png_structp png, source *from) {
    png_set_read_fn(png, from, read_bytes);
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    png_set_chunk_malloc_max(png, MAX_CHUNK_BYTES);
    png_set_chunk_cache_max(png, MAX_CACHED_CHUNKS);
    /* A negative count names all ancillary chunks; those that decoding needs cannot be skipped. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

static void describe(png_structp png, png_infop info, dia_png_header *header) {
    int has_transparency = png_get_valid(png, info, PNG_INFO_tRNS) != 0;
    header->width = png_get_image_width(png, info);
    header->height = png_get_image_height(png, info);
    header->bit_depth = png_get_bit_depth(png, info);
    header->color_type = png_get_color_type(png, info);
    int color = (header->color_type & PNG_COLOR_MASK_COLOR) != 0;
    int alpha = (header->color_type & PNG_COLOR_MASK_ALPHA) != 0 || has_transparency;
    header->channels = (uint8_t)((color ? 3 : 1) + alpha);
    header->bytes = header->bit_depth == 16 ? 2 : 1;
}

static int little_endian(void) {
    const uint16_t one = 1;
    return *(const uint8_t *)&one;
}

/* One pass for both calls; `samples` is NULL when only the header is wanted. */
static int decode(source *from, dia_png_header *header, uint8_t *samples, size_t capacity) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, from, fail, ignore);
    if (png == NULL) {
        strncpy(from->message, "out of memory", DIA_PNG_MESSAGE);
        return -1;
    }
    png_infop volatile info = NULL;
    png_bytep *volatile rows = NULL;
    int result = -1;
    if (setjmp(png_jmpbuf(png)) == 0) {
        info = png_create_info_struct(png);
        if (info == NULL) png_error(png, "out of memory");
        prepare(png, from);
        png_read_info(png, info);
        describe(png, info, header);
        if (samples != NULL) {
            /* Palette to RGB, 1, 2 and 4 bits to 8, tRNS to alpha. */
            png_set_expand(png);
            if (header->bytes == 2 && little_endian()) png_set_swap(png);
            png_set_interlace_handling(png);
            png_read_update_info(png, info);
            size_t stride = (size_t)header->width * header->channels * header->bytes;
            if (png_get_rowbytes(png, info) != stride || capacity / stride < header->height)
                png_error(png, "the header contradicts itself");
            rows = malloc((size_t)header->height * sizeof(png_bytep));
            if (rows == NULL) png_error(png, "out of memory");
            for (size_t row = 0; row < header->height; row++) rows[row] = samples + row * stride;
            png_read_image(png, rows);
            png_read_end(png, NULL);
        }
        result = 0;
    }
    free(rows);
    png_infop finished = info;
    png_destroy_read_struct(&png, &finished, NULL);
    return result;
}

int dia_png_read_header(const uint8_t *data, size_t size, dia_png_header *header, char message[DIA_PNG_MESSAGE]) {
    source from = {data, size, 0, message};
    if (size < 8 || png_sig_cmp(data, 0, 8) != 0) {
        strncpy(message, "not a PNG file", DIA_PNG_MESSAGE);
        return -1;
    }
    return decode(&from, header, NULL, 0);
}

int dia_png_decode(const uint8_t *data, size_t size, uint8_t *samples, size_t capacity, char message[DIA_PNG_MESSAGE]) {
    source from = {data, size, 0, message};
    dia_png_header header;
    return decode(&from, &header, samples, capacity);
}

typedef struct {
    uint8_t *data;
    size_t size, capacity;
} target;

static void write_bytes(png_structp png, png_bytep bytes, size_t count) {
    target *to = png_get_io_ptr(png);
    if (to->capacity - to->size < count) {
        size_t capacity = to->capacity * 2 + count + 4096;
        uint8_t *grown = realloc(to->data, capacity);
        if (grown == NULL) png_error(png, "out of memory");
        to->data = grown;
        to->capacity = capacity;
    }
    memcpy(to->data + to->size, bytes, count);
    to->size += count;
}

static void flush_nothing(png_structp png) { (void)png; }

int dia_png_encode(
    const uint8_t *samples, uint32_t width, uint32_t height, int channels, uint8_t **data, size_t *size) {
    char message[DIA_PNG_MESSAGE];
    source errors = {NULL, 0, 0, message};
    target to = {NULL, 0, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, fail, ignore);
    if (png == NULL) return -1;
    png_infop volatile info = NULL;
    int volatile result = -1;
    if (setjmp(png_jmpbuf(png)) == 0) {
        info = png_create_info_struct(png);
        if (info == NULL) png_error(png, "out of memory");
        png_set_write_fn(png, &to, write_bytes, flush_nothing);
        /* The library's own limit of a million a side would refuse long strips. */
        png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
        int color = channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
        png_set_IHDR(png, info, width, height, 8, color, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                     PNG_FILTER_TYPE_DEFAULT);
        png_write_info(png, info);
        for (uint32_t row = 0; row < height; row++)
            png_write_row(png, samples + (size_t)row * width * (size_t)channels);
        png_write_end(png, NULL);
        result = 0;
    }
    png_infop finished = info;
    png_destroy_write_struct(&png, &finished);
    if (result == 0) {
        *data = to.data;
        *size = to.size;
    } else {
        free(to.data);
    }
    return result;
}
