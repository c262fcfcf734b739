#include "dia_dicom.h"

#include <openjpeg.h>
#include <string.h>

typedef struct {
    const uint8_t *data;
    size_t size, position;
} source;

static OPJ_SIZE_T read_bytes(void *buffer, OPJ_SIZE_T count, void *user) {
    source *from = user;
    size_t rest = from->size - from->position;
    if (rest == 0) return (OPJ_SIZE_T)-1;
    if (count > rest) count = rest;
    memcpy(buffer, from->data + from->position, count);
    from->position += count;
    return count;
}

static OPJ_OFF_T skip_bytes(OPJ_OFF_T count, void *user) {
    source *from = user;
    size_t rest = from->size - from->position;
    if (count < 0) return -1;
    if ((uint64_t)count > rest) count = (OPJ_OFF_T)rest;
    from->position += (size_t)count;
    return count;
}

static OPJ_BOOL seek_bytes(OPJ_OFF_T position, void *user) {
    source *from = user;
    if (position < 0 || (uint64_t)position > from->size) return OPJ_FALSE;
    from->position = (size_t)position;
    return OPJ_TRUE;
}

static void report(char *message, const char *text) {
    strncpy(message, text, DIA_DICOM_MESSAGE - 1);
    message[DIA_DICOM_MESSAGE - 1] = 0;
    size_t length = strlen(message);
    if (length > 0 && message[length - 1] == '\n') message[length - 1] = 0;
}

/* Keeps the first error: later ones are its consequences. */
static void keep_error(const char *text, void *message) {
    if (*(char *)message == 0) report(message, text);
}

static void ignore(const char *text, void *user) { (void)text, (void)user; }

/* Whether all components have the same size, depth and sign, and a depth that fits a 16-bit sample. */
static int describe(const opj_image_t *image, dia_jpeg2000_header *header, char *message) {
    if (image->numcomps == 0) return report(message, "there are no components"), -1;
    const opj_image_comp_t *first = image->comps;
    for (OPJ_UINT32 i = 0; i < image->numcomps; i++) {
        const opj_image_comp_t *each = image->comps + i;
        if (each->w != first->w || each->h != first->h || each->prec != first->prec || each->sgnd != first->sgnd)
            return report(message, "the components differ in size or depth, which is not supported"), -1;
    }
    if (first->prec == 0 || first->prec > 16)
        return report(message, "the samples have more than 16 bits, which is not supported"), -1;
    *header = (dia_jpeg2000_header){first->w, first->h, image->numcomps, first->prec, first->sgnd != 0};
    return 0;
}

static int decode(opj_codec_t *codec, opj_stream_t *stream, opj_image_t **image,
                  uint16_t *(*accept)(const dia_jpeg2000_header *, void *), void *context, char *message) {
    opj_dparameters_t parameters;
    opj_set_default_decoder_parameters(&parameters);
    opj_set_info_handler(codec, ignore, NULL);
    opj_set_warning_handler(codec, ignore, NULL);
    opj_set_error_handler(codec, keep_error, message);
    if (!opj_setup_decoder(codec, &parameters)) return -1;
    /* A truncated codestream is an error. */
    if (!opj_decoder_set_strict_mode(codec, OPJ_TRUE)) return -1;
    if (!opj_read_header(stream, codec, image)) return -1;
    dia_jpeg2000_header header, decoded;
    if (describe(*image, &header, message) != 0) return -1;
    uint16_t *samples = accept(&header, context);
    if (samples == NULL) return -1;
    if (!opj_decode(codec, stream, *image)) return -1;
    if (describe(*image, &decoded, message) != 0) return -1;
    if (memcmp(&header, &decoded, sizeof header) != 0)
        return report(message, "the decoded image differs from its header"), -1;
    uint32_t mask = (1u << header.precision) - 1;
    size_t pixels = (size_t)header.width * header.height;
    for (uint32_t component = 0; component < header.components; component++) {
        const OPJ_INT32 *from = (*image)->comps[component].data;
        if (from == NULL) return report(message, "a component has no data"), -1;
        uint16_t *to = samples + component;
        for (size_t pixel = 0; pixel < pixels; pixel++, to += header.components) *to = (uint32_t)from[pixel] & mask;
    }
    return 0;
}

int dia_jpeg2000_decode(const uint8_t *data, size_t size, uint16_t *(*accept)(const dia_jpeg2000_header *, void *),
                        void *context, char message[DIA_DICOM_MESSAGE]) {
    static const uint8_t box[12] = {0, 0, 0, 12, 'j', 'P', ' ', ' ', 0x0d, 0x0a, 0x87, 0x0a};
    source from = {data, size, 0};
    message[0] = 0;
    /* The standard wants a bare codestream; some writers keep the JP2 file around it. */
    int is_file = size > sizeof box && memcmp(data, box, sizeof box) == 0;
    opj_codec_t *codec = opj_create_decompress(is_file ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    opj_stream_t *stream = opj_stream_create(1 << 16, OPJ_TRUE);
    opj_image_t *image = NULL;
    int result = -1;
    if (codec != NULL && stream != NULL) {
        opj_stream_set_user_data(stream, &from, NULL);
        opj_stream_set_user_data_length(stream, size);
        opj_stream_set_read_function(stream, read_bytes);
        opj_stream_set_skip_function(stream, skip_bytes);
        opj_stream_set_seek_function(stream, seek_bytes);
        result = decode(codec, stream, &image, accept, context, message);
    }
    if (result != 0 && message[0] == 0) report(message, "the codestream is invalid");
    if (image != NULL) opj_image_destroy(image);
    if (stream != NULL) opj_stream_destroy(stream);
    if (codec != NULL) opj_destroy_codec(codec);
    return result;
}
