/*
 * DICOM files with DCMTK, and JPEG 2000 with OpenJPEG. No exception of C++ leaves these functions.
 *
 * DCMTK reads the file's structure and decompresses frames. What the values mean is decided in Swift.
 */
#ifndef DIA_DICOM_H
#define DIA_DICOM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DIA_DICOM_MESSAGE 160

/* Results of dia_dicom_open(). */
enum {
    DIA_DICOM_OK = 0,
    DIA_DICOM_UNREADABLE = 1, /* the file cannot be opened */
    DIA_DICOM_NOT_DICOM = 2,  /* the file does not start like a DICOM file */
    DIA_DICOM_INVALID = 3,    /* it starts like one, but its structure is invalid or truncated */
    DIA_DICOM_NO_MEMORY = 4,  /* it needs more memory than the process may have */
};

typedef struct dia_dicom_file dia_dicom_file;
/* A data set, or an item of a sequence; valid as long as its file. */
typedef struct dia_dicom_item dia_dicom_item;

/*
 * Prepares DCMTK: disables its log, replaces its dictionary (a file of several thousand entries) by the attributes that
 * are used here, and registers its decoders. Called by dia_dicom_open() too; later calls do nothing.
 */
void dia_dicom_initialize(void);

/* Reads the structure of a file. Large values are left in the file and read on demand, so it must not change. */
dia_dicom_file *dia_dicom_open(const char *path, int *status, char message[DIA_DICOM_MESSAGE]);

void dia_dicom_close(dia_dicom_file *file);

/* The file's data set, and its file meta information. */
dia_dicom_item *dia_dicom_data_set(dia_dicom_file *file);
dia_dicom_item *dia_dicom_meta(dia_dicom_file *file);

/* The transfer syntax in which the data set was read: a UID, or an empty string if it is unknown. */
const char *dia_dicom_transfer_syntax(const dia_dicom_file *file);

/* Whether the data set is stored with big-endian numbers. */
int dia_dicom_is_big_endian(const dia_dicom_file *file);

/* Whether the attribute is present. */
int dia_dicom_has(dia_dicom_item *item, uint16_t group, uint16_t element);

/* The item of a sequence with an index from 0, or NULL. */
dia_dicom_item *dia_dicom_child(dia_dicom_item *item, uint16_t group, uint16_t element, uint32_t index);

/* The text of an attribute with all its values, as stored; NULL if it is missing or not text. */
const char *dia_dicom_text(dia_dicom_item *item, uint16_t group, uint16_t element, size_t *size);

/* The value of an attribute of 16-bit numbers (US, SS, OW, or the bytes of OB and UN), in host order; NULL if missing. */
const uint16_t *dia_dicom_words(dia_dicom_item *item, uint16_t group, uint16_t element, size_t *count);

/* Whether the attribute has the VR SS. */
int dia_dicom_is_signed(dia_dicom_item *item, uint16_t group, uint16_t element);

/* The kinds of pixel data. */
enum {
    DIA_DICOM_NO_PIXELS = 0,
    DIA_DICOM_NATIVE = 1,
    DIA_DICOM_ENCAPSULATED = 2,
    DIA_DICOM_FLOAT = 3, /* Float Pixel Data or Double Float Pixel Data */
};
int dia_dicom_pixel_kind(dia_dicom_file *file);

/* The number of bytes of native pixel data, and whether they are stored as 16-bit words. */
uint64_t dia_dicom_native_size(dia_dicom_file *file, int *words);

/* Reads bytes of native pixel data, 16-bit words as little-endian. Returns 0, or -1. */
int dia_dicom_read_native(dia_dicom_file *file, uint64_t offset, uint32_t count, uint8_t *bytes);

/* The number of fragments of encapsulated pixel data, without the basic offset table. */
uint32_t dia_dicom_fragment_count(dia_dicom_file *file);

/* Stores the number of bytes of each of the first `count` fragments. */
void dia_dicom_fragment_sizes(dia_dicom_file *file, uint32_t *sizes, uint32_t count);

/*
 * The number of bytes of a fragment with an index from 0; -1 is the basic offset table. The value is -1 if there is no
 * such fragment.
 */
int64_t dia_dicom_fragment_size(dia_dicom_file *file, int64_t index);

/* Reads a fragment, or the basic offset table, of `size` bytes. Returns 0, or -1. */
int dia_dicom_read_fragment(dia_dicom_file *file, int64_t index, uint8_t *bytes, int64_t size);

/* What DCMTK needs to know to decompress a frame. */
typedef struct {
    uint16_t rows, columns, samples_per_pixel, bits_allocated, bits_stored, is_signed;
    const char *photometric;
} dia_dicom_frame;

/*
 * Decompresses one frame of JPEG, JPEG-LS or RLE into interleaved samples of `bits_allocated` bits in host order, without
 * any conversion of colors. Returns 0, or -1 with a message.
 */
int dia_dicom_decompress(const char *transfer_syntax, const dia_dicom_frame *frame, const uint8_t *data, uint32_t size,
                         uint8_t *samples, uint32_t samples_size, char message[DIA_DICOM_MESSAGE]);

/* The header of a JPEG 2000 codestream. */
typedef struct {
    uint32_t width, height, components, precision;
    int is_signed;
} dia_jpeg2000_header;

/*
 * Decodes a JPEG 2000 codestream or JP2 file. `accept` is called with its header before memory is allocated for
 * pixels and returns a buffer for width * height * components interleaved 16-bit samples, masked to the precision, or
 * NULL to stop. Returns 0, or -1 with a message.
 */
int dia_jpeg2000_decode(const uint8_t *data, size_t size, uint16_t *(*accept)(const dia_jpeg2000_header *, void *),
                        void *context, char message[DIA_DICOM_MESSAGE]);

#ifdef __cplusplus
}
#endif

#endif
