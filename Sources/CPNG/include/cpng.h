/*
 * PNG through libpng, with the setjmp that libpng's error handling needs kept on this side of the border:
 * a longjmp must never cross a Swift frame.
 */
#ifndef DIA_CPNG_H
#define DIA_CPNG_H

#include <stddef.h>
#include <stdint.h>

#define DIA_PNG_MESSAGE 96

/* What the header of a PNG says. */
typedef struct {
    uint32_t width, height;
    uint8_t bit_depth;  /* 1, 2, 4, 8, 16 */
    uint8_t color_type; /* as in IHDR: 0 grey, 2 RGB, 3 palette, 4 grey + alpha, 6 RGB + alpha */
    uint8_t channels;   /* of the image's colours: 1 for grey, 3 otherwise */
} dia_png_header;

/* Reads everything before the pixels. Returns 0, or -1 with a message. */
int dia_png_read_header(const uint8_t *data, size_t size, dia_png_header *header, char message[DIA_PNG_MESSAGE]);

/*
 * Decodes all pixels into `samples`, from 0 to 1 and composed on black, as many `channels` as the header says or
 * one, colour to grey by the luma of BT.601: `capacity` samples, at least height * width * channels by the header
 * read before. Returns 0 with all of those written, or -1 with a message.
 */
int dia_png_decode(const uint8_t *data, size_t size, float *samples, size_t capacity, int channels,
                   char message[DIA_PNG_MESSAGE]);

/*
 * Encodes 8-bit samples, 1 (grey) or 3 (RGB) channels. On success `*data` is a block of `*size` bytes for
 * the caller to free(). Returns 0, or -1.
 */
int dia_png_encode(
    const uint8_t *samples, uint32_t width, uint32_t height, int channels, uint8_t **data, size_t *size);

#endif
