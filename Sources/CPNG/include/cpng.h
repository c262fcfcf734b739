/*
 * PNG with libpng. All calls of setjmp, which the error handling of libpng needs, are in this module, because a
 * longjmp must never cross a Swift frame. Files are read and written row by row.
 */
#ifndef DIA_CPNG_H
#define DIA_CPNG_H

#include <stddef.h>
#include <stdint.h>

#define DIA_PNG_MESSAGE 96

/* The contents of a PNG header. */
typedef struct {
    uint32_t width, height;
    uint8_t bit_depth;  /* 1, 2, 4, 8, 16 */
    uint8_t color_type; /* as in IHDR: 0 gray, 2 RGB, 3 palette, 4 gray + alpha, 6 RGB + alpha */
    uint8_t channels;   /* of the image's colors: 1 for gray, 3 otherwise */
    uint8_t interlaced;
} dia_png_header;

/* The position of the pixels of a row: row `y`, columns `first`, `first + step`, ..., `count` columns in all. */
typedef struct {
    uint32_t y, first, step, count;
} dia_png_row;

typedef struct dia_png_reader dia_png_reader;

/* Faults of a file that cost no pixel, as bits. */
enum {
    DIA_PNG_TRAILING_BYTES = 1,          /* bytes after IEND */
    DIA_PNG_EXTRA_DATA = 2,              /* bytes of IDAT after the end of the zlib stream */
    DIA_PNG_TRANSPARENCY_RANGE = 4,      /* samples in tRNS with more bits than the image */
    DIA_PNG_TRANSPARENCY_WITH_ALPHA = 8, /* tRNS in an image with an alpha channel */
    DIA_PNG_PALETTE_IN_GRAY = 16,        /* PLTE in a gray image */
    DIA_PNG_SMALL_WINDOW = 32,           /* a zlib stream that declares a smaller window than it uses */
};

/*
 * Reads everything before the pixels of a file, which must stay in memory until dia_png_close(). Returns NULL with
 * a message on failure.
 */
dia_png_reader *dia_png_open(const uint8_t *data, size_t size, dia_png_header *header, char message[DIA_PNG_MESSAGE]);

/* Prepares to read rows of `channels`: those of the header, or 1 for gray (luma of BT.601). Returns 0, or -1. */
int dia_png_begin(dia_png_reader *reader, int channels, char message[DIA_PNG_MESSAGE]);

/*
 * Decodes the next row of the file into a row of width * channels samples from 0 to 1, composited on black, at the
 * columns in `place`. An interlaced file is read in seven passes. Returns 1; 0 after the last row if the end of the
 * file is valid; or -1 with a message.
 */
int dia_png_next_row(dia_png_reader *reader, float *samples, dia_png_row *place, char message[DIA_PNG_MESSAGE]);

/*
 * Returns the samples of the pixels of the last row as decoded, before compositing and conversion: gray or RGB, followed
 * by alpha if the file has transparency, in 1 byte, or in 2 for a depth of 16 (the most significant first). Samples of
 * less than 8 bits are scaled to 8, and palette indices are replaced by colors. Valid until the next row is decoded.
 */
const uint8_t *dia_png_samples(dia_png_reader *reader, size_t *count);

/* Returns the number of bytes of a pixel in dia_png_samples(). */
int dia_png_bytes_per_pixel(const dia_png_reader *reader);

/* Returns the tolerated faults found so far; all of them after dia_png_next_row() has returned 0. */
uint32_t dia_png_defects(const dia_png_reader *reader);

void dia_png_close(dia_png_reader *reader);

typedef struct dia_png_writer dia_png_writer;

/*
 * Starts a file of samples of 8 bits, or of 16 (the most significant byte first), with 1 (gray) or 3 (RGB) channels.
 * Returns NULL if out of memory.
 */
dia_png_writer *dia_png_writer_open(uint32_t width, uint32_t height, int channels, int bit_depth);

/* Writes the next row, or the end of the file if the row is NULL. Returns 0, or -1 if out of memory. */
int dia_png_write_row(dia_png_writer *writer, const uint8_t *row);

/* Returns the bytes written since the last call; they are valid until the next row is written. */
const uint8_t *dia_png_take(dia_png_writer *writer, size_t *count);

void dia_png_writer_close(dia_png_writer *writer);

#endif
