#include "dia_dicom.h"

#include <cstdio>
#include <cstring>
#include <new>

#include <dcmtk/dcmdata/dcfcache.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>

struct dia_dicom_file {
    DcmFileFormat format;
    DcmFileCache cache;
};

static DcmItem *raw(dia_dicom_item *item) { return reinterpret_cast<DcmItem *>(item); }
static dia_dicom_item *wrapped(DcmItem *item) { return reinterpret_cast<dia_dicom_item *>(item); }

static void report(char *message, const char *text) {
    std::strncpy(message, text, DIA_DICOM_MESSAGE - 1);
    message[DIA_DICOM_MESSAGE - 1] = 0;
}

/* Calls a function; an exception, such as one for a lack of memory, becomes `failure`. */
template <typename Value, typename Function> static Value guarded(Value failure, Function function) {
    try {
        return function();
    } catch (...) {
        return failure;
    }
}

/* Whether a file without a preamble can be a data set: its first attribute is of group 2 or 8, and not empty. */
static bool starts_like_data_set(const uint8_t *head, size_t size) {
    if (size < 16) return false;
    bool little = (head[0] == 0x08 || head[0] == 0x02) && head[1] == 0;
    bool big = head[0] == 0 && head[1] == 0x08;
    return (little && head[3] == 0) || (big && head[2] == 0);
}

dia_dicom_file *dia_dicom_open(const char *path, int *status, char message[DIA_DICOM_MESSAGE]) {
    dia_dicom_initialize();
    uint8_t head[132] = {0};
    size_t size = 0;
    if (FILE *stream = std::fopen(path, "rb")) {
        size = std::fread(head, 1, sizeof head, stream);
        bool failed = std::ferror(stream) != 0;
        std::fclose(stream);
        if (failed) {
            *status = DIA_DICOM_UNREADABLE;
            return nullptr;
        }
    } else {
        *status = DIA_DICOM_UNREADABLE;
        return nullptr;
    }
    bool has_preamble = size == 132 && std::memcmp(head + 128, "DICM", 4) == 0;
    if (!has_preamble && !starts_like_data_set(head, size)) {
        *status = DIA_DICOM_NOT_DICOM;
        return nullptr;
    }
    dia_dicom_file *file = new (std::nothrow) dia_dicom_file;
    if (file == nullptr) {
        *status = DIA_DICOM_NO_MEMORY;
        return nullptr;
    }
    /* Exceptions are thrown for a lack of memory only. */
    *status = guarded<int>(DIA_DICOM_NO_MEMORY, [&]() -> int {
        OFCondition result = file->format.loadFile(path);
        if (result.good()) return DIA_DICOM_OK;
        report(message, result.text());
        return result == EC_MemoryExhausted ? DIA_DICOM_NO_MEMORY : DIA_DICOM_INVALID;
    });
    if (*status == DIA_DICOM_OK) return file;
    delete file;
    return nullptr;
}

void dia_dicom_close(dia_dicom_file *file) { delete file; }

dia_dicom_item *dia_dicom_data_set(dia_dicom_file *file) { return wrapped(file->format.getDataset()); }
dia_dicom_item *dia_dicom_meta(dia_dicom_file *file) { return wrapped(file->format.getMetaInfo()); }

const char *dia_dicom_transfer_syntax(const dia_dicom_file *file) {
    const char *uid = DcmXfer(const_cast<dia_dicom_file *>(file)->format.getDataset()->getOriginalXfer()).getXferID();
    return uid == nullptr ? "" : uid;
}

int dia_dicom_is_big_endian(const dia_dicom_file *file) {
    return const_cast<dia_dicom_file *>(file)->format.getDataset()->getOriginalXfer() == EXS_BigEndianExplicit;
}

static DcmElement *find(dia_dicom_item *item, uint16_t group, uint16_t element) {
    DcmElement *found = nullptr;
    if (item == nullptr || raw(item)->findAndGetElement(DcmTagKey(group, element), found).bad()) return nullptr;
    return found;
}

int dia_dicom_has(dia_dicom_item *item, uint16_t group, uint16_t element) {
    return guarded(0, [&] { return find(item, group, element) != nullptr ? 1 : 0; });
}

dia_dicom_item *dia_dicom_child(dia_dicom_item *item, uint16_t group, uint16_t element, uint32_t index) {
    return guarded<dia_dicom_item *>(nullptr, [&]() -> dia_dicom_item * {
        DcmElement *found = find(item, group, element);
        if (found == nullptr || found->ident() != EVR_SQ) return nullptr;
        DcmSequenceOfItems *sequence = OFstatic_cast(DcmSequenceOfItems *, found);
        return index < sequence->card() ? wrapped(sequence->getItem(index)) : nullptr;
    });
}

const char *dia_dicom_text(dia_dicom_item *item, uint16_t group, uint16_t element, size_t *size) {
    return guarded<const char *>(nullptr, [&]() -> const char * {
        DcmElement *found = find(item, group, element);
        char *text = nullptr;
        Uint32 length = 0;
        if (found == nullptr) return nullptr;
        Uint8 *bytes = nullptr;
        if (found->getVR() == EVR_UN || found->getVR() == EVR_OB) {
            if (found->getUint8Array(bytes).bad()) return nullptr;
            text = reinterpret_cast<char *>(bytes);
            length = found->getLength();
        } else if (found->getString(text, length).bad()) {
            return nullptr;
        }
        *size = length;
        return text;
    });
}

const uint16_t *dia_dicom_words(dia_dicom_item *item, uint16_t group, uint16_t element, size_t *count) {
    return guarded<const uint16_t *>(nullptr, [&]() -> const uint16_t * {
        DcmElement *found = find(item, group, element);
        if (found == nullptr || found->getLength() < 2) return nullptr;
        *count = found->getLength() / 2;
        Uint16 *words = nullptr;
        Sint16 *numbers = nullptr;
        Uint8 *bytes = nullptr;
        if (found->getUint16Array(words).good() && words != nullptr) return words;
        if (found->getSint16Array(numbers).good() && numbers != nullptr) return reinterpret_cast<uint16_t *>(numbers);
        /* Bytes are little-endian, as the hosts are. */
        if (found->getUint8Array(bytes).good() && bytes != nullptr) return reinterpret_cast<uint16_t *>(bytes);
        return nullptr;
    });
}

int dia_dicom_is_signed(dia_dicom_item *item, uint16_t group, uint16_t element) {
    return guarded(0, [&] {
        DcmElement *found = find(item, group, element);
        return found != nullptr && found->getVR() == EVR_SS ? 1 : 0;
    });
}

static DcmPixelData *pixel_data(dia_dicom_file *file) {
    DcmElement *found = find(dia_dicom_data_set(file), 0x7fe0, 0x0010);
    return found == nullptr ? nullptr : dynamic_cast<DcmPixelData *>(found);
}

static DcmPixelSequence *fragments(dia_dicom_file *file) {
    DcmPixelData *pixels = pixel_data(file);
    if (pixels == nullptr) return nullptr;
    E_TransferSyntax xfer = EXS_Unknown;
    const DcmRepresentationParameter *parameter = nullptr;
    pixels->getOriginalRepresentationKey(xfer, parameter);
    DcmPixelSequence *sequence = nullptr;
    /* Fails if the pixel data are native. */
    return pixels->getEncapsulatedRepresentation(xfer, parameter, sequence).good() ? sequence : nullptr;
}

int dia_dicom_pixel_kind(dia_dicom_file *file) {
    return guarded<int>(DIA_DICOM_NO_PIXELS, [&]() -> int {
        dia_dicom_item *data_set = dia_dicom_data_set(file);
        if (find(data_set, 0x7fe0, 0x0008) != nullptr || find(data_set, 0x7fe0, 0x0009) != nullptr)
            return DIA_DICOM_FLOAT;
        if (pixel_data(file) == nullptr) return DIA_DICOM_NO_PIXELS;
        return fragments(file) != nullptr ? DIA_DICOM_ENCAPSULATED : DIA_DICOM_NATIVE;
    });
}

uint64_t dia_dicom_native_size(dia_dicom_file *file, int *words) {
    return guarded<uint64_t>(0, [&]() -> uint64_t {
        DcmPixelData *pixels = pixel_data(file);
        if (pixels == nullptr) return 0;
        *words = pixels->getVR() == EVR_OW || pixels->getVR() == EVR_ox || pixels->getVR() == EVR_px;
        return pixels->getLength();
    });
}

int dia_dicom_read_native(dia_dicom_file *file, uint64_t offset, uint32_t count, uint8_t *bytes) {
    return guarded(-1, [&] {
        DcmPixelData *pixels = pixel_data(file);
        if (pixels == nullptr || offset + count > pixels->getLength()) return -1;
        OFCondition result =
            pixels->getPartialValue(bytes, OFstatic_cast(Uint32, offset), count, &file->cache, EBO_LittleEndian);
        return result.good() ? 0 : -1;
    });
}

uint32_t dia_dicom_fragment_count(dia_dicom_file *file) {
    return guarded<uint32_t>(0, [&]() -> uint32_t {
        DcmPixelSequence *sequence = fragments(file);
        return sequence == nullptr || sequence->card() == 0 ? 0 : OFstatic_cast(uint32_t, sequence->card() - 1);
    });
}

void dia_dicom_fragment_sizes(dia_dicom_file *file, uint32_t *sizes, uint32_t count) {
    guarded(0, [&] {
        DcmPixelSequence *sequence = fragments(file);
        if (sequence == nullptr) return 0;
        /* Access by index would search the list from its beginning for each. */
        DcmObject *item = sequence->nextInContainer(nullptr);
        for (uint32_t index = 0; index < count && item != nullptr; index++) {
            item = sequence->nextInContainer(item);
            if (item != nullptr) sizes[index] = item->getLength();
        }
        return 0;
    });
}

/* The first item of the sequence is the basic offset table. */
static DcmPixelItem *fragment(dia_dicom_file *file, int64_t index) {
    DcmPixelSequence *sequence = fragments(file);
    DcmPixelItem *item = nullptr;
    if (sequence == nullptr || index < -1 || index + 1 >= OFstatic_cast(int64_t, sequence->card())) return nullptr;
    return sequence->getItem(item, OFstatic_cast(unsigned long, index + 1)).good() ? item : nullptr;
}

int64_t dia_dicom_fragment_size(dia_dicom_file *file, int64_t index) {
    return guarded<int64_t>(-1, [&]() -> int64_t {
        DcmPixelItem *item = fragment(file, index);
        return item == nullptr ? -1 : OFstatic_cast(int64_t, item->getLength());
    });
}

int dia_dicom_read_fragment(dia_dicom_file *file, int64_t index, uint8_t *bytes, int64_t size) {
    return guarded(-1, [&] {
        DcmPixelItem *item = fragment(file, index);
        Uint8 *value = nullptr;
        if (item == nullptr || size != item->getLength()) return -1;
        if (size == 0) return 0;
        if (item->getUint8Array(value).bad() || value == nullptr) return -1;
        std::memcpy(bytes, value, OFstatic_cast(size_t, size));
        /* Otherwise all fragments of a long sequence would remain in memory. */
        item->compact();
        return 0;
    });
}
