#include "cpng.h"

#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* The caller limits the sides and has its own error message. */
#define MAX_SIDE 0x7fffffff
/* The limit of all bytes outside IDAT: enough for profiles and comments, but skipping them takes time too. */
#define MAX_BYTES_OUTSIDE_IDAT (4 << 20)
/* The limit of the rest of the zlib stream after the last pixel: a block end and a checksum, and what libpng reads ahead. */
#define MAX_BYTES_AFTER_PIXELS (8192 + 256)
/* libpng may stop before the end of a block and the checksum; more unread bytes of IDAT are extra data. */
#define MAX_UNREAD_BYTES 8
/* The limit of the compressed data that is decompressed again to check the window. */
#define MAX_BYTES_TO_CHECK (4 << 20)

typedef struct {
    const uint8_t *data;
    size_t size, position;
    size_t outside_idat, after_pixels, unread;
    uint32_t height; /* 0 until the header is read */
    int interlaced;
    int stream_ended; /* whether the zlib stream has ended, so that further bytes of IDAT are skipped */
    uint32_t defects;
    char *message;
} source;

/* Palette colors: premultiplied by alpha, and as in the file. */
typedef struct {
    float rgb[256][3];
    uint8_t rgba[256][4];
    int count, has_alpha;
} palette;

static void fail(png_structp png, png_const_charp text) {
    source *from = png_get_error_ptr(png);
    strncpy(from->message, text, DIA_PNG_MESSAGE - 1);
    from->message[DIA_PNG_MESSAGE - 1] = 0;
    png_longjmp(png, 1);
}

/* Faults that cost no pixel, by libpng's text for them. */
static const struct {
    const char *text;
    uint32_t defect;
} tolerated[] = {
    {"IDAT: Extra compressed data", DIA_PNG_EXTRA_DATA},
    {"tRNS chunk has out-of-range samples for bit_depth", DIA_PNG_TRANSPARENCY_RANGE},
    {"tRNS: invalid with alpha channel", DIA_PNG_TRANSPARENCY_WITH_ALPHA},
    {"PLTE: ignored in grayscale PNG", DIA_PNG_PALETTE_IN_GRAY},
};

/*
 * libpng reports its benign errors as warnings. Those about the chunks that decoding needs are errors here, unless they
 * are in the list above; all others are about skipped chunks. Nothing is printed.
 */
static void warn(png_structp png, png_const_charp text) {
    static const char *const needed[] = {"tRNS", "PLTE", "IDAT", "IHDR", "IEND"};
    source *from = png_get_error_ptr(png);
    for (size_t i = 0; i < sizeof tolerated / sizeof *tolerated; i++) {
        if (strcmp(text, tolerated[i].text) != 0) continue;
        from->defects |= tolerated[i].defect;
        if (tolerated[i].defect == DIA_PNG_EXTRA_DATA) from->stream_ended = 1;
        return;
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        /* Without libpng's prefix, as in a hard error. */
        if (strncmp(text, needed[i], 4) == 0) png_error(png, strncmp(text + 4, ": ", 2) == 0 ? text + 6 : text);
    }
}

static int has_all_pixels(png_structp png, const source *from) {
    if (from->interlaced) return png_get_current_pass_number(png) >= PNG_INTERLACE_ADAM7_PASSES;
    return from->height > 0 && png_get_current_row_number(png) >= from->height;
}

static void read_bytes(png_structp png, png_bytep target, size_t count) {
    static const uint32_t IDAT = 0x49444154;
    source *from = png_get_io_ptr(png);
    if (count > from->size - from->position) png_error(png, "the file is truncated");
    int is_data = png_get_io_chunk_type(png) == IDAT && (png_get_io_state(png) & PNG_IO_MASK_LOC) == PNG_IO_CHUNK_DATA;
    if (is_data && from->stream_ended) {
        from->unread += count;
        if (from->unread > MAX_UNREAD_BYTES) from->defects |= DIA_PNG_EXTRA_DATA;
    }
    if (!is_data || from->stream_ended) {
        from->outside_idat += count;
        if (from->outside_idat > MAX_BYTES_OUTSIDE_IDAT) png_error(png, "more than 4 MB of the file are not pixel data");
    } else if (has_all_pixels(png, from)) {
        /* libpng would inflate all of it, up to a gigabyte per megabyte, only to report that it is too much. */
        from->after_pixels += count;
        if (from->after_pixels > MAX_BYTES_AFTER_PIXELS) png_error(png, "IDAT continues after the last pixel");
    }
    memcpy(target, from->data + from->position, count);
    from->position += count;
}

/* Opens a reader that skips all ancillary chunks except tRNS. Must be called after setjmp. */
static void prepare(png_structp png, source *from) {
    png_set_read_fn(png, from, read_bytes);
    png_set_user_limits(png, MAX_SIDE, MAX_SIDE);
    /* Chunk lengths are not limited: skipped chunks are not kept in memory, and IDAT is read in small pieces. */
    png_set_chunk_malloc_max(png, 0);
    /* Benign errors become warnings, and warn() decides about them. */
    png_set_benign_errors(png, 1);
    /* Encoders declare a smaller window than they use; the window of 32 kB holds for any stream. */
    png_set_option(png, PNG_MAXIMUM_INFLATE_WINDOW, PNG_OPTION_ON);
    /* A negative count means all ancillary chunks; the chunks that decoding needs cannot be skipped. */
    png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
}

static void describe(png_structp png, png_infop info, dia_png_header *header) {
    header->width = png_get_image_width(png, info);
    header->height = png_get_image_height(png, info);
    header->bit_depth = png_get_bit_depth(png, info);
    header->color_type = png_get_color_type(png, info);
    header->interlaced = png_get_interlace_type(png, info) != PNG_INTERLACE_NONE;
    header->channels = (header->color_type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
}

static void read_palette(png_structp png, png_infop info, palette *colors) {
    png_colorp entries = NULL;
    png_bytep alphas = NULL;
    int alpha_count = 0;
    colors->count = 0;
    png_get_PLTE(png, info, &entries, &colors->count);
    png_get_tRNS(png, info, &alphas, &alpha_count, NULL);
    colors->has_alpha = alpha_count > 0;
    for (int i = 0; i < colors->count; i++) {
        float alpha = i < alpha_count ? alphas[i] / 255.0f : 1;
        colors->rgb[i][0] = entries[i].red / 255.0f * alpha;
        colors->rgb[i][1] = entries[i].green / 255.0f * alpha;
        colors->rgb[i][2] = entries[i].blue / 255.0f * alpha;
        uint8_t rgba[4] = {entries[i].red, entries[i].green, entries[i].blue, i < alpha_count ? alphas[i] : 255};
        memcpy(colors->rgba[i], rgba, sizeof rgba);
    }
}

/* Converts a pixel of `colors` samples to `channels` samples: color to gray with the luma of BT.601. */
static void store_pixel(const float *pixel, int colors, float *to, int channels) {
    /* The same arithmetic as in Imaging, so that results are the same on every processor. */
#pragma STDC FP_CONTRACT OFF
    if (channels < colors)
        to[0] = 0.299f * pixel[0] + 0.587f * pixel[1] + 0.114f * pixel[2];
    else
        for (int i = 0; i < colors; i++) to[i] = pixel[i];
}

/* The destination of the pixels of a row. */
typedef struct {
    float *samples;
    int channels;
    size_t count, step; /* the number of pixels, and their stride in samples */
} row_target;

/* Converts palette indices to colors. libpng itself decodes an index outside the palette as black. */
static void look_up(png_structp png, const palette *colors, png_const_bytep row, row_target to) {
    for (size_t pixel = 0; pixel < to.count; pixel++, to.samples += to.step) {
        if (row[pixel] >= colors->count) png_error(png, "a pixel's color is not in the palette");
        store_pixel(colors->rgb[row[pixel]], 3, to.samples, to.channels);
    }
}

/* Multiplies pixels by their alpha (composites them on black). */
static void composite(png_const_bytep row, int channels, int bytes, row_target to) {
    int colors = channels < 3 ? 1 : 3;
    float scale = bytes == 2 ? 65535 : 255;
    for (size_t pixel = 0; pixel < to.count; pixel++, to.samples += to.step) {
        float samples[4];
        for (int i = 0; i < channels; i++, row += bytes)
            samples[i] = (float)(bytes == 2 ? row[0] << 8 | row[1] : row[0]) / scale;
        float alpha = channels > colors ? samples[colors] : 1;
        for (int i = 0; i < colors; i++) samples[i] *= alpha;
        store_pixel(samples, colors, to.samples, to.channels);
    }
}

static uint32_t big_endian(const uint8_t *bytes) {
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/*
 * Whether the zlib stream of a valid file refers to data outside the window that its header declares. Decompresses the
 * file a second time, but only if the window is smaller than the `expected` bytes of all rows.
 */
static int has_small_window(const source *from, uint64_t expected) {
    /* Short, because zlib accepts distances within the output of one call even if they exceed the window. */
    uint8_t scratch[64];
    z_stream stream = {0};
    int started = 0, result = Z_OK;
    for (size_t at = 8; result == Z_OK && from->size - at >= 12 && stream.total_out < 2 * expected
             && stream.total_in < MAX_BYTES_TO_CHECK;) {
        uint32_t length = big_endian(from->data + at);
        if (length > from->size - at - 12) break;
        if (memcmp(from->data + at + 4, "IDAT", 4) == 0 && length > 0) {
            if (!started) {
                int bits = (from->data[at + 8] >> 4) + 8;
                if (bits >= 15 || (uint64_t)1 << bits >= expected || inflateInit2(&stream, bits) != Z_OK) return 0;
                started = 1;
            }
            stream.next_in = (Bytef *)(from->data + at + 8);
            stream.avail_in = length;
            while (result == Z_OK && stream.avail_in > 0 && stream.total_out < 2 * expected) {
                stream.next_out = scratch;
                stream.avail_out = sizeof scratch;
                result = inflate(&stream, Z_NO_FLUSH);
            }
            if (result == Z_BUF_ERROR) result = Z_OK;
        }
        at += (size_t)length + 12;
    }
    if (started) inflateEnd(&stream);
    return result == Z_DATA_ERROR;
}

struct dia_png_reader {
    source from;
    png_structp png;
    png_infop info;
    dia_png_header header;
    palette colors;
    int channels;      /* of the output samples */
    int file_channels; /* of a row as decoded by libpng */
    int pass;
    uint32_t y; /* of the next row within its pass */
    uint32_t count; /* of the pixels of the last row */
    png_bytep row;
    uint8_t *colored; /* a row of palette indices, as colors */
};

dia_png_reader *dia_png_open(const uint8_t *data, size_t size, dia_png_header *header, char message[DIA_PNG_MESSAGE]) {
    if (size < 8 || png_sig_cmp(data, 0, 8) != 0) {
        strncpy(message, "not a PNG file", DIA_PNG_MESSAGE);
        return NULL;
    }
    /* libpng checks this for the chunks that it reads, but not for those that it skips. */
    if (size >= 16 && memcmp(data + 12, "IHDR", 4) != 0) {
        strncpy(message, "the first chunk is not IHDR", DIA_PNG_MESSAGE);
        return NULL;
    }
    strncpy(message, "out of memory", DIA_PNG_MESSAGE);
    dia_png_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) return NULL;
    reader->from = (source){.data = data, .size = size, .message = message};
    reader->png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader->from, fail, warn);
    reader->info = reader->png == NULL ? NULL : png_create_info_struct(reader->png);
    if (reader->info == NULL || setjmp(png_jmpbuf(reader->png)) != 0) {
        dia_png_close(reader);
        return NULL;
    }
    prepare(reader->png, &reader->from);
    png_read_info(reader->png, reader->info);
    describe(reader->png, reader->info, &reader->header);
    *header = reader->header;
    return reader;
}

int dia_png_begin(dia_png_reader *reader, int channels, char message[DIA_PNG_MESSAGE]) {
    reader->from.message = message;
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png)) != 0) return -1;
    if (channels != 1 && channels != reader->header.channels) png_error(png, "unsupported number of channels");
    reader->channels = channels;
    reader->from.height = reader->header.height;
    reader->from.interlaced = png_get_interlace_type(png, reader->info) != PNG_INTERLACE_NONE;
    if (reader->header.color_type == PNG_COLOR_TYPE_PALETTE)
        png_set_packing(png); /* one index per byte */
    else
        png_set_expand(png); /* 1, 2 and 4 bits to 8, tRNS to alpha */
    png_read_update_info(png, reader->info);
    reader->file_channels = png_get_channels(png, reader->info);
    if (reader->header.color_type == PNG_COLOR_TYPE_PALETTE) read_palette(png, reader->info, &reader->colors);
    reader->row = malloc(png_get_rowbytes(png, reader->info));
    if (reader->header.color_type == PNG_COLOR_TYPE_PALETTE)
        reader->colored = malloc((size_t)reader->header.width * dia_png_bytes_per_pixel(reader));
    if (reader->row == NULL || (reader->header.color_type == PNG_COLOR_TYPE_PALETTE && reader->colored == NULL))
        png_error(png, "out of memory");
    return 0;
}

int dia_png_next_row(dia_png_reader *reader, float *samples, dia_png_row *place, char message[DIA_PNG_MESSAGE]) {
    reader->from.message = message;
    png_structp png = reader->png;
    if (setjmp(png_jmpbuf(png)) != 0) return -1;
    uint32_t left = 0, across = 1, top = 0, down = 1;
    int passes = reader->from.interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1;
    for (; reader->pass < passes; reader->pass++, reader->y = 0) {
        if (reader->from.interlaced) {
            left = PNG_PASS_START_COL(reader->pass), across = PNG_PASS_COL_OFFSET(reader->pass);
            top = PNG_PASS_START_ROW(reader->pass), down = PNG_PASS_ROW_OFFSET(reader->pass);
        }
        /* A pass without columns or rows is not stored in the file. */
        if (left < reader->header.width && top + (uint64_t)reader->y * down < reader->header.height) break;
    }
    if (reader->pass == passes) {
        /* libpng has read the end of the stream with the last row. */
        reader->from.stream_ended = 1;
        png_read_end(png, reader->info);
        if (reader->from.position < reader->from.size) reader->from.defects |= DIA_PNG_TRAILING_BYTES;
        uint64_t row = ((uint64_t)reader->header.width * png_get_channels(png, reader->info) * 2 + 1);
        if (has_small_window(&reader->from, row * reader->header.height)) reader->from.defects |= DIA_PNG_SMALL_WINDOW;
        return 0;
    }
    place->y = top + reader->y++ * down;
    place->first = left;
    place->step = across;
    place->count = (reader->header.width - left + across - 1) / across;
    reader->count = place->count;
    png_read_row(png, reader->row, NULL);
    row_target to = {samples + (size_t)left * reader->channels, reader->channels, place->count,
               (size_t)across * reader->channels};
    if (reader->header.color_type == PNG_COLOR_TYPE_PALETTE)
        look_up(png, &reader->colors, reader->row, to);
    else
        composite(reader->row, reader->file_channels, reader->header.bit_depth == 16 ? 2 : 1, to);
    return 1;
}

int dia_png_bytes_per_pixel(const dia_png_reader *reader) {
    if (reader->header.color_type == PNG_COLOR_TYPE_PALETTE) return reader->colors.has_alpha ? 4 : 3;
    return reader->file_channels * (reader->header.bit_depth == 16 ? 2 : 1);
}

const uint8_t *dia_png_samples(dia_png_reader *reader, size_t *count) {
    size_t size = dia_png_bytes_per_pixel(reader);
    *count = reader->count * size;
    if (reader->header.color_type != PNG_COLOR_TYPE_PALETTE) return reader->row;
    for (size_t pixel = 0; pixel < reader->count; pixel++)
        memcpy(reader->colored + pixel * size, reader->colors.rgba[reader->row[pixel]], size);
    return reader->colored;
}

uint32_t dia_png_defects(const dia_png_reader *reader) { return reader->from.defects; }

void dia_png_close(dia_png_reader *reader) {
    if (reader->png != NULL) png_destroy_read_struct(&reader->png, &reader->info, NULL);
    free(reader->row);
    free(reader->colored);
    free(reader);
}

typedef struct {
    uint8_t *data;
    size_t size, capacity;
} target;

struct dia_png_writer {
    target to;
    source errors;
    char message[DIA_PNG_MESSAGE];
    png_structp png;
    png_infop info;
};

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

dia_png_writer *dia_png_writer_open(uint32_t width, uint32_t height, int channels, int bit_depth) {
    dia_png_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) return NULL;
    writer->errors.message = writer->message;
    writer->png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer->errors, fail, warn);
    writer->info = writer->png == NULL ? NULL : png_create_info_struct(writer->png);
    if (writer->info == NULL || setjmp(png_jmpbuf(writer->png)) != 0) {
        dia_png_writer_close(writer);
        return NULL;
    }
    png_set_write_fn(writer->png, &writer->to, write_bytes, flush_nothing);
    /* The default limit of libpng, a million pixels a side, would reject long strips. */
    png_set_user_limits(writer->png, MAX_SIDE, MAX_SIDE);
    int color = channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY;
    png_set_IHDR(writer->png, writer->info, width, height, bit_depth, color, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    return writer;
}

int dia_png_write_row(dia_png_writer *writer, const uint8_t *row) {
    if (setjmp(png_jmpbuf(writer->png)) != 0) return -1;
    if (row != NULL)
        png_write_row(writer->png, row);
    else
        png_write_end(writer->png, NULL);
    return 0;
}

const uint8_t *dia_png_take(dia_png_writer *writer, size_t *count) {
    *count = writer->to.size;
    writer->to.size = 0;
    return writer->to.data;
}

void dia_png_writer_close(dia_png_writer *writer) {
    if (writer->png != NULL) png_destroy_write_struct(&writer->png, &writer->info);
    free(writer->to.data);
    free(writer);
}
