#include "cjpeg.h"

#include <stdio.h>

#include <jpeglib.h>

#include <jerror.h>
#include <setjmp.h>
#include <stdlib.h>

/* A small progressive file can have thousands of scans, each of which takes as long as the whole image. */
#define MAX_SCANS 100

typedef struct {
    struct jpeg_error_mgr base; /* must be first: libjpeg stores a pointer to it */
    jmp_buf jump;
    char *message;
} errors;

struct dia_jpeg_reader {
    struct jpeg_decompress_struct info;
    struct jpeg_progress_mgr progress;
    errors errors;
};

static void fail(j_common_ptr info) {
    errors *to = (errors *)info->err;
    char text[JMSG_LENGTH_MAX];
    if (info->err->msg_code == JERR_NO_BACKING_STORE)
        snprintf(text, sizeof text, "decoding it needs too much memory");
    else
        (*info->err->format_message)(info, text);
    snprintf(to->message, DIA_JPEG_MESSAGE, "%s", text);
    longjmp(to->jump, 1);
}

/* Negative levels are warnings, which mean damaged data; others are traces. Nothing is printed. */
static void warn(j_common_ptr info, int level) {
    if (level < 0) fail(info);
}

static void print_nothing(j_common_ptr info) { (void)info; }

static void limit_scans(j_common_ptr info) {
    if (((j_decompress_ptr)info)->input_scan_number <= MAX_SCANS) return;
    errors *to = (errors *)info->err;
    snprintf(to->message, DIA_JPEG_MESSAGE, "it has more than %d scans", MAX_SCANS);
    longjmp(to->jump, 1);
}

dia_jpeg_reader *dia_jpeg_open(const uint8_t *data, size_t size, dia_jpeg_header *header,
                               char message[DIA_JPEG_MESSAGE]) {
    dia_jpeg_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        snprintf(message, DIA_JPEG_MESSAGE, "out of memory");
        return NULL;
    }
    struct jpeg_decompress_struct *info = &reader->info;
    info->err = jpeg_std_error(&reader->errors.base);
    reader->errors.base.error_exit = fail;
    reader->errors.base.emit_message = warn;
    reader->errors.base.output_message = print_nothing;
    reader->errors.message = message;
    if (setjmp(reader->errors.jump) != 0) {
        dia_jpeg_close(reader);
        return NULL;
    }
    jpeg_create_decompress(info);
    reader->progress.progress_monitor = limit_scans;
    info->progress = &reader->progress;
    jpeg_mem_src(info, data, size);
    jpeg_read_header(info, TRUE);
    header->width = info->image_width;
    header->height = info->image_height;
    header->progressive = info->progressive_mode != 0;
    switch (info->jpeg_color_space) {
    case JCS_GRAYSCALE: header->colors = DIA_JPEG_GRAY; break;
    case JCS_RGB:
    case JCS_YCbCr: header->colors = DIA_JPEG_COLOR; break;
    case JCS_CMYK:
    case JCS_YCCK: header->colors = DIA_JPEG_CMYK; break;
    default: header->colors = DIA_JPEG_OTHER; break;
    }
    return reader;
}

int dia_jpeg_begin(dia_jpeg_reader *reader, size_t memory, char message[DIA_JPEG_MESSAGE]) {
    reader->errors.message = message;
    if (setjmp(reader->errors.jump) != 0) return -1;
    reader->info.out_color_space = reader->info.jpeg_color_space == JCS_GRAYSCALE ? JCS_GRAYSCALE : JCS_RGB;
    reader->info.mem->max_memory_to_use = (long)memory;
    jpeg_start_decompress(&reader->info);
    return 0;
}

int dia_jpeg_next_row(dia_jpeg_reader *reader, uint8_t *row, char message[DIA_JPEG_MESSAGE]) {
    reader->errors.message = message;
    if (setjmp(reader->errors.jump) != 0) return -1;
    if (reader->info.output_scanline < reader->info.output_height) {
        JSAMPROW rows[1] = {row};
        jpeg_read_scanlines(&reader->info, rows, 1);
        return 1;
    }
    jpeg_finish_decompress(&reader->info);
    return 0;
}

void dia_jpeg_close(dia_jpeg_reader *reader) {
    /* Does nothing if the decompressor was not created. */
    jpeg_destroy_decompress(&reader->info);
    free(reader);
}
