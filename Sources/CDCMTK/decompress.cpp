#include "dia_dicom.h"

#include <cstring>

#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

/* A data set with the one frame and the attributes that the decoders read, so that nothing else can confuse them. */
static OFCondition build(DcmDataset &data_set, E_TransferSyntax xfer, const dia_dicom_frame &frame, const uint8_t *data,
                         uint32_t size, DcmPixelData *&pixels) {
    const struct {
        DcmTagKey tag;
        Uint16 value;
    } numbers[] = {
        {DCM_SamplesPerPixel, frame.samples_per_pixel}, {DCM_Rows, frame.rows},
        {DCM_Columns, frame.columns},                   {DCM_BitsAllocated, frame.bits_allocated},
        {DCM_BitsStored, frame.bits_stored},            {DCM_HighBit, OFstatic_cast(Uint16, frame.bits_stored - 1)},
        {DCM_PixelRepresentation, frame.is_signed},     {DCM_PlanarConfiguration, 0},
    };
    for (const auto &number : numbers) {
        OFCondition result = data_set.putAndInsertUint16(number.tag, number.value);
        if (result.bad()) return result;
    }
    OFCondition result = data_set.putAndInsertString(DCM_PhotometricInterpretation, frame.photometric);
    if (result.good()) result = data_set.putAndInsertString(DCM_NumberOfFrames, "1");
    if (result.bad()) return result;
    DcmPixelSequence *sequence = new DcmPixelSequence(DcmTag(DCM_PixelData, EVR_OB));
    sequence->insert(new DcmPixelItem(DcmTag(DCM_Item, EVR_OB)));
    DcmPixelItem *fragment = new DcmPixelItem(DcmTag(DCM_Item, EVR_OB));
    sequence->insert(fragment);
    pixels = new DcmPixelData(DcmTag(DCM_PixelData, EVR_OB));
    pixels->putOriginalRepresentation(xfer, nullptr, sequence);
    result = fragment->putUint8Array(data, size);
    OFCondition inserted = data_set.insert(pixels, OFTrue);
    return result.bad() ? result : inserted;
}

int dia_dicom_decompress(const char *transfer_syntax, const dia_dicom_frame *frame, const uint8_t *data, uint32_t size,
                         uint8_t *samples, uint32_t samples_size, char message[DIA_DICOM_MESSAGE]) {
    dia_dicom_initialize();
    try {
        DcmDataset data_set;
        DcmPixelData *pixels = nullptr;
        OFCondition result = build(data_set, DcmXfer(transfer_syntax).getXfer(), *frame, data, size, pixels);
        if (result.good()) {
            Uint32 start = 0;
            OFString model;
            result = pixels->getUncompressedFrame(&data_set, 0, start, samples, samples_size, model, nullptr);
        }
        if (result.good()) return 0;
        std::strncpy(message, result.text(), DIA_DICOM_MESSAGE - 1);
    } catch (...) {
        std::strncpy(message, "out of memory", DIA_DICOM_MESSAGE - 1);
    }
    message[DIA_DICOM_MESSAGE - 1] = 0;
    return -1;
}
