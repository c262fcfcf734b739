#include "dia_dicom.h"

#include <cstdlib>
#include <mutex>

#include <dcmtk/dcmdata/dcrledrg.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpeg/djdecode.h>
#include <dcmtk/dcmjpls/djdecode.h>
#include <dcmtk/oflog/oflog.h>

namespace {
struct entry {
    uint16_t group, element;
    DcmEVR vr;
    const char *name;
};

/*
 * The attributes that are read, for data sets with implicit value representations. Those that are "US or SS" are read as
 * US; Swift decides by Pixel Representation. Those of the patient and the study are read only on request (StudyAttributes).
 */
const entry entries[] = {
    {0x0002, 0x0000, EVR_UL, "FileMetaInformationGroupLength"},
    {0x0002, 0x0001, EVR_OB, "FileMetaInformationVersion"},
    {0x0002, 0x0002, EVR_UI, "MediaStorageSOPClassUID"},
    {0x0002, 0x0003, EVR_UI, "MediaStorageSOPInstanceUID"},
    {0x0002, 0x0010, EVR_UI, "TransferSyntaxUID"},
    {0x0002, 0x0012, EVR_UI, "ImplementationClassUID"},
    {0x0002, 0x0013, EVR_SH, "ImplementationVersionName"},
    {0x0002, 0x0016, EVR_AE, "SourceApplicationEntityTitle"},
    {0x0008, 0x0005, EVR_CS, "SpecificCharacterSet"},
    {0x0008, 0x0016, EVR_UI, "SOPClassUID"},
    {0x0008, 0x0018, EVR_UI, "SOPInstanceUID"},
    {0x0008, 0x0020, EVR_DA, "StudyDate"},
    {0x0008, 0x0030, EVR_TM, "StudyTime"},
    {0x0008, 0x0050, EVR_SH, "AccessionNumber"},
    {0x0008, 0x0060, EVR_CS, "Modality"},
    {0x0008, 0x0070, EVR_LO, "Manufacturer"},
    {0x0008, 0x0090, EVR_PN, "ReferringPhysicianName"},
    {0x0008, 0x0201, EVR_SH, "TimezoneOffsetFromUTC"},
    {0x0008, 0x1030, EVR_LO, "StudyDescription"},
    {0x0008, 0x103e, EVR_LO, "SeriesDescription"},
    {0x0010, 0x0010, EVR_PN, "PatientName"},
    {0x0010, 0x0020, EVR_LO, "PatientID"},
    {0x0010, 0x0021, EVR_LO, "IssuerOfPatientID"},
    {0x0010, 0x0030, EVR_DA, "PatientBirthDate"},
    {0x0010, 0x0032, EVR_TM, "PatientBirthTime"},
    {0x0010, 0x0040, EVR_CS, "PatientSex"},
    {0x0010, 0x1010, EVR_AS, "PatientAge"},
    {0x0010, 0x1020, EVR_DS, "PatientSize"},
    {0x0010, 0x1030, EVR_DS, "PatientWeight"},
    {0x0018, 0x0015, EVR_CS, "BodyPartExamined"},
    {0x0018, 0x5101, EVR_CS, "ViewPosition"},
    {0x0020, 0x000d, EVR_UI, "StudyInstanceUID"},
    {0x0020, 0x000e, EVR_UI, "SeriesInstanceUID"},
    {0x0020, 0x0010, EVR_SH, "StudyID"},
    {0x0028, 0x0002, EVR_US, "SamplesPerPixel"},
    {0x0028, 0x0004, EVR_CS, "PhotometricInterpretation"},
    {0x0028, 0x0006, EVR_US, "PlanarConfiguration"},
    {0x0028, 0x0008, EVR_IS, "NumberOfFrames"},
    {0x0028, 0x0010, EVR_US, "Rows"},
    {0x0028, 0x0011, EVR_US, "Columns"},
    {0x0028, 0x0100, EVR_US, "BitsAllocated"},
    {0x0028, 0x0101, EVR_US, "BitsStored"},
    {0x0028, 0x0102, EVR_US, "HighBit"},
    {0x0028, 0x0103, EVR_US, "PixelRepresentation"},
    {0x0028, 0x0120, EVR_US, "PixelPaddingValue"},
    {0x0028, 0x0121, EVR_US, "PixelPaddingRangeLimit"},
    {0x0028, 0x1050, EVR_DS, "WindowCenter"},
    {0x0028, 0x1051, EVR_DS, "WindowWidth"},
    {0x0028, 0x1052, EVR_DS, "RescaleIntercept"},
    {0x0028, 0x1053, EVR_DS, "RescaleSlope"},
    {0x0028, 0x1056, EVR_CS, "VOILUTFunction"},
    {0x0028, 0x1101, EVR_US, "RedPaletteColorLookupTableDescriptor"},
    {0x0028, 0x1102, EVR_US, "GreenPaletteColorLookupTableDescriptor"},
    {0x0028, 0x1103, EVR_US, "BluePaletteColorLookupTableDescriptor"},
    {0x0028, 0x1201, EVR_OW, "RedPaletteColorLookupTableData"},
    {0x0028, 0x1202, EVR_OW, "GreenPaletteColorLookupTableData"},
    {0x0028, 0x1203, EVR_OW, "BluePaletteColorLookupTableData"},
    {0x0028, 0x1221, EVR_OW, "SegmentedRedPaletteColorLookupTableData"},
    {0x0028, 0x1222, EVR_OW, "SegmentedGreenPaletteColorLookupTableData"},
    {0x0028, 0x1223, EVR_OW, "SegmentedBluePaletteColorLookupTableData"},
    {0x0028, 0x3000, EVR_SQ, "ModalityLUTSequence"},
    {0x0028, 0x3002, EVR_US, "LUTDescriptor"},
    {0x0028, 0x3006, EVR_OW, "LUTData"},
    {0x0028, 0x3010, EVR_SQ, "VOILUTSequence"},
    {0x0028, 0x9132, EVR_SQ, "FrameVOILUTSequence"},
    {0x0028, 0x9145, EVR_SQ, "PixelValueTransformationSequence"},
    {0x5200, 0x9229, EVR_SQ, "SharedFunctionalGroupsSequence"},
    {0x5200, 0x9230, EVR_SQ, "PerFrameFunctionalGroupsSequence"},
    {0x7fe0, 0x0008, EVR_OF, "FloatPixelData"},
    {0x7fe0, 0x0009, EVR_OD, "DoubleFloatPixelData"},
    {0x7fe0, 0x0010, EVR_px, "PixelData"},
    {0xfffe, 0xe000, EVR_na, "Item"},
    {0xfffe, 0xe00d, EVR_na, "ItemDelimitationItem"},
    {0xfffe, 0xe0dd, EVR_na, "SequenceDelimitationItem"},
};

void initialize() {
    /* DCMTK's messages may contain values of attributes. */
    OFLog::configure(OFLogger::OFF_LOG_LEVEL);
    setenv("DCMDICTPATH", "/dev/null", 1);
    DcmDataDictionary &dictionary = dcmDataDict.wrlock();
    for (const entry &each : entries) {
        dictionary.addEntry(new DcmDictEntry(each.group, each.element, DcmVR(each.vr), each.name, 1, DcmVariableVM,
                                             nullptr, OFFalse, nullptr));
    }
    dcmDataDict.wrunlock();
    DJDecoderRegistration::registerCodecs(EDC_never, EUC_never, EPC_colorByPixel);
    DJLSDecoderRegistration::registerCodecs(EJLSUC_never, EJLSPC_colorByPixel);
    DcmRLEDecoderRegistration::registerCodecs();
}
} // namespace

void dia_dicom_initialize(void) {
    static std::once_flag once;
    try {
        std::call_once(once, initialize);
    } catch (...) {
        /* Without memory for the dictionary, opening a file fails. */
    }
}
