/*
 * JPEG with libjpeg-turbo. All calls of setjmp, which the error handling of libjpeg needs, are in this module, because a
 * longjmp must never cross a Swift frame. Files are read row by row. A warning of libjpeg is an error: it means that
 * pixels are missing or damaged.
 */
#ifndef DIA_CJPEG_H
#define DIA_CJPEG_H

#include <stddef.h>
#include <stdint.h>

#define DIA_JPEG_MESSAGE 200

/* The colors of a file. */
enum { DIA_JPEG_GRAY, DIA_JPEG_COLOR, DIA_JPEG_CMYK, DIA_JPEG_OTHER };

/* The contents of a JPEG header. */
typedef struct {
    uint32_t width, height;
    uint8_t colors; /* DIA_JPEG_GRAY, ... */
    uint8_t progressive;
} dia_jpeg_header;

typedef struct dia_jpeg_reader dia_jpeg_reader;

/*
 * Reads everything before the pixels of a file, which must stay in memory until dia_jpeg_close(). Returns NULL with a
 * message on failure.
 */
dia_jpeg_reader *dia_jpeg_open(const uint8_t *data, size_t size, dia_jpeg_header *header,
                               char message[DIA_JPEG_MESSAGE]);

/*
 * Prepares to read rows; a progressive file is decompressed here. `memory` limits the bytes that libjpeg allocates.
 * The colors must be gray or color. Returns 0, or -1 with a message.
 */
int dia_jpeg_begin(dia_jpeg_reader *reader, size_t memory, char message[DIA_JPEG_MESSAGE]);

/*
 * Decodes the next row into width samples (gray) or 3 * width samples (RGB). Returns 1; 0 after the last row if the end
 * of the file is valid; or -1 with a message.
 */
int dia_jpeg_next_row(dia_jpeg_reader *reader, uint8_t *row, char message[DIA_JPEG_MESSAGE]);

void dia_jpeg_close(dia_jpeg_reader *reader);

#endif
