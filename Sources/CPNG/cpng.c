#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

/* The caller limits the sides, by a message of its own. */
#define MAX_SIDE 0x7fffffff
/* What may stand beside the compressed pixels: profiles and comments have room, but skipping takes time too. */
#define MAX_BYTES_BESIDES (4 << 20)
/* What may be left of IDAT after the last pixel: a block's end and a checksum, which libpng need not look at. */
#define MAX_BYTES_AFTER_PIXELS 256

typedef struct {
    const uint8_t *data;
    size_t size, position;
    size_t besides, after_pixels;
    uint32_t height; /* 0 until the header is read */
    int interlaced;
    char *message;
} source;

/* Colours with their alpha multiplied in. */
typedef struct {
    float rgb[256][3];
    int count;
} palette;

static void fail(png_structp png, png_const_charp text) {
    source *from = png_get_error_ptr(png);
    strncpy(from->message, text, DIA_PNG_MESSAGE - 1);
    from->message[DIA_PNG_MESSAGE - 1] = 0;
    png_longjmp(png, 1);
}

/* Warnings are about chunks that are skipped, except for tRNS, which changes pixels. Nothing is printed. */
static void warn(png_structp png, png_const_charp text) {
    if (strncmp(text, "tRNS", 4) == 0) png_error(png, text);
}

static int has_all_pixels(png_structp png, const source *from) {
    if (from->interlaced) return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
    return from->height > 0 && png_get_current_row_number(png) >= from->height;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    static const uint32_t IDAT = 0x49444154;
    source *from = png_get_io_ptr(png);
    if (count > from->size - from->position) png_error(png, "the file is cut short");
    if (png_get_io_chunk_type(png) != IDAT || (png_get_io_state(png) & PNG_IO_MASK_LOC) != PNG_IO_CHUNK_DATA) {
        from->besides += count;
        if (from->besides > MAX_BYTES_BESIDES) png_error(png, "more than 4 MB of the file are no pixels");
    } else if (has_all_pixels(png, from)) {
        /* libpng would inflate all of it, a gigabyte from each megabyte, only to say that it is too much. */
        from->after_pixels += count;
        if (from->after_pixels > MAX_BYTES_AFTER_PIXELS) png_error(png, "IDAT goes on after the last pixel");
    }
    memcpy(target, from->data + from->position, count);
    from->position += count;
}

/* Opens a reader that skips every ancillary chunk but tRNS. Must be called with setjmp in place. */
static void prepare(png_structp png, source *from) {
    png_set_read_fn(png, from, read_bytes);
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    /* No limit to a chunk's length: skipped ones are never in memory, and IDAT is read in small pieces. */
    png_set_chunk_malloc_max(png, 0);
    /* What libpng calls benign is damage to pixels, palette or transparency, since all else is skipped. */
    png_set_benign_errors(png, 0);
    /* A negative count names all ancillary chunks; those that decoding needs cannot be skipped. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

static void describe(png_structp png, png_infop info, dia_png_header *header) {
    header->width = png_get_image_width(png, info);
    header->height = png_get_image_height(png, info);
    header->bit_depth = png_get_bit_depth(png, info);
    header->color_type = png_get_color_type(png, info);
    header->channels = (header->color_type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
}

static void read_palette(png_structp png, png_infop info, palette *colors) {
    png_colorp entries = NULL;
    png_bytep alphas = NULL;
    int alpha_count = 0;
    colors->count = 0;
    png_get_PLTE(png, info, &entries, &colors->count);
    png_get_tRNS(png, info, &alphas, &alpha_count, NULL);
    for (int i = 0; i < colors->count; i++) {
        float alpha = i < alpha_count ? alphas[i] / 255.0f : 1;
        colors->rgb[i][0] = entries[i].red / 255.0f * alpha;
        colors->rgb[i][1] = entries[i].green / 255.0f * alpha;
        colors->rgb[i][2] = entries[i].blue / 255.0f * alpha;
    }
}

/* A pixel of `colors` samples as one of `channels`: colour to grey by the luma of BT.601. */
static void put(const float *pixel, int colors, float *to, int channels) {
    /* The same sums as Imaging's, on every processor. */
#pragma STDC FP_CONTRACT OFF
    if (channels < colors)
        to[0] = 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
    else
        for (int i = 0; i < colors; i++) to[i] = pixel[i];
}

/* Where the pixels of a row go. */
typedef struct {
    float *samples;
    int channels;
    size_t count, step; /* pixels, and the samples from one to the next */
} line;

/* Indices as colours. libpng itself takes an index beyond the palette for black. */
static void look_up(png_structp png, const palette *colors, png_const_bytep row, line to) {
    for (size_t pixel = 0; pixel < to.count; pixel++, to.samples += to.step) {
        if (row[pixel] >= colors->count) png_error(png, "a pixel's colour is not in the palette");
        put(colors->rgb[row[pixel]], 3, to.samples, to.channels);
    }
}

/* Pixels with their alpha multiplied in (composed on black). */
static void compose(png_const_bytep row, int channels, int bytes, line to) {
    int colors = channels < 3 ? 1 : 3;
    float scale = bytes == 2 ? 65535 : 255;
    for (size_t pixel = 0; pixel < to.count; pixel++, to.samples += to.step) {
        float samples[4];
        for (int i = 0; i < channels; i++, row += bytes)
            samples[i] = (float)(bytes == 2 ? row[0] << 8 | row[1] : row[0]) / scale;
        float alpha = channels > colors ? samples[colors] : 1;
        for (int i = 0; i < colors; i++) samples[i] *= alpha;
        put(samples, colors, to.samples, to.channels);
    }
}

/* Puts each row in its place as it comes, so that `row` is all the memory needed beside `samples`. */
static void read_rows(png_structp png, png_infop info, const dia_png_header *header, png_bytep row, float *samples,
                      int out_channels) {
    palette colors;
    int has_palette = header->color_type == PNG_COLOR_TYPE_PALETTE;
    if (has_palette) read_palette(png, info, &colors);
    int channels = png_get_channels(png, info), bytes = header->bit_depth == 16 ? 2 : 1;
    int interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++) {
        size_t left = interlaced ? PNG_PASS_START_COL(pass) : 0, across = interlaced ? PNG_PASS_COL_OFFSET(pass) : 1;
        size_t top = interlaced ? PNG_PASS_START_ROW(pass) : 0, down = interlaced ? PNG_PASS_ROW_OFFSET(pass) : 1;
        if (left >= header->width) continue;
        size_t count = (header->width - left + across - 1) / across;
        for (size_t y = top; y < header->height; y += down) {
            line to = {samples + (y * header->width + left) * out_channels, out_channels, count, across * out_channels};
            png_read_row(png, row, NULL);
            if (has_palette)
                look_up(png, &colors, row, to);
            else
                compose(row, channels, bytes, to);
        }
    }
}

/* One pass for both calls; `samples` is NULL when only the header is wanted. */
static int decode(source *from, dia_png_header *header, float *samples, size_t capacity, int channels) {
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, from, fail, warn);
    if (png == NULL) {
        strncpy(from->message, "out of memory", DIA_PNG_MESSAGE);
        return -1;
    }
    png_infop volatile info = NULL;
    png_bytep volatile row = NULL;
    int result = -1;
    if (setjmp(png_jmpbuf(png)) == 0) {
        info = png_create_info_struct(png);
        if (info == NULL) png_error(png, "out of memory");
        prepare(png, from);
        png_read_info(png, info);
        describe(png, info, header);
        if (samples != NULL) {
            if (channels > header->channels || capacity / header->width / channels < header->height)
                png_error(png, "the header contradicts itself");
            from->height = header->height;
            from->interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
            if (header->color_type == PNG_COLOR_TYPE_PALETTE)
                png_set_packing(png); /* one index a byte */
            else
                png_set_expand(png); /* 1, 2 and 4 bits to 8, tRNS to alpha */
            png_read_update_info(png, info);
            row = malloc(png_get_rowbytes(png, info));
            if (row == NULL) png_error(png, "out of memory");
            read_rows(png, info, header, row, samples, channels);
            png_read_end(png, info);
            /* Two files in one, or remnants of another image: not what its sender believes it to be. */
            if (from->position < from->size) png_error(png, "bytes follow the image's end");
        }
        result = 0;
    }
    free(row);
    png_infop finished = info;
    png_destroy_read_struct(&png, &finished, NULL);
    return result;
}

int dia_png_read_header(const uint8_t *data, size_t size, dia_png_header *header, char message[DIA_PNG_MESSAGE]) {
    source from = {.data = data, .size = size, .message = message};
    if (size < 8 || png_sig_cmp(data, 0, 8) != 0) {
        strncpy(message, "not a PNG file", DIA_PNG_MESSAGE);
        return -1;
    }
    /* libpng asks this of the chunks that it reads, not of those that it skips. */
    if (size >= 16 && memcmp(data + 12, "IHDR", 4) != 0) {
        strncpy(message, "the first chunk is no IHDR", DIA_PNG_MESSAGE);
        return -1;
    }
    return decode(&from, header, NULL, 0, 0);
}

int dia_png_decode(const uint8_t *data, size_t size, float *samples, size_t capacity, int channels,
                   char message[DIA_PNG_MESSAGE]) {
    source from = {.data = data, .size = size, .message = message};
    dia_png_header header;
    return decode(&from, &header, samples, capacity, channels);
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
    source errors = {.message = message};
    target to = {NULL, 0, 0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &errors, fail, warn);
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
