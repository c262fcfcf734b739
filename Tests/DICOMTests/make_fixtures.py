#!/usr/bin/env python3
"""Writes the files of Tests/DICOMTests/Files: small made-up DICOM images, and how pydicom renders them.

    python3 -m venv .build/dicom-venv
    .build/dicom-venv/bin/pip install -r Tests/DICOMTests/requirements.txt
    .build/dicom-venv/bin/python Tests/DICOMTests/make_fixtures.py

Needs dcmcjpeg (Debian: dcmtk) for the JPEG processes that no encoder of pydicom has. Each NAME.dcm has renderings in
fixtures.json; the gray levels of a rendering are in a file of 16-bit little-endian numbers, all frames in order.
"""
import copy
import io
import json
import pathlib
import subprocess
import tempfile
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import (DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ExplicitVRLittleEndian,
                         ImplicitVRLittleEndian, JPEG2000, JPEG2000Lossless, JPEGBaseline8Bit, JPEGLSLossless,
                         JPEGLSNearLossless, RLELossless)

from compare_pydicom import LEVEL, LOSSY, WHITE, reference

FOLDER = pathlib.Path(__file__).parent / "Files"
ROWS, COLUMNS = 33, 36
random = np.random.default_rng(17)
index = []


def wave(low, high, rows=ROWS, columns=COLUMNS, phase=0.0):
    """A smooth pattern from `low` to `high` with some noise; the extremes occur."""
    y, x = np.mgrid[0:rows, 0:columns]
    values = np.sin(x / 5.0 + phase) + np.cos(y / 4.0) + random.normal(0, 0.05, (rows, columns))
    values = (values - values.min()) / (values.max() - values.min())
    return np.round(low + values * (high - low)).astype(np.int64)


def data_set(array, stored=None, photometric="MONOCHROME2", frames=None, **attributes):
    """A data set of uncompressed pixels."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    meta.MediaStorageSOPInstanceUID = "2.25.17"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = "2.25.18"
    meta.SourceApplicationEntityTitle = "MODALITY1"
    made = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    made.SOPClassUID, made.SOPInstanceUID = meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.19", "2.25.20"
    # To test that it is not read.
    made.PatientName, made.PatientID, made.PatientBirthDate = "SECRET^NAME", "SECRET-ID", "19010203"
    made.Modality, made.Manufacturer, made.BodyPartExamined, made.ViewPosition = "OT", "Maker", "CHEST", "PA"
    made.SpecificCharacterSet, made.SeriesDescription = "ISO_IR 100", "Übersicht"
    shape = array.shape[1:] if frames else array.shape
    made.Rows, made.Columns = shape[0], shape[1]
    made.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
    made.PhotometricInterpretation = photometric
    if frames:
        made.NumberOfFrames = frames
    if made.SamplesPerPixel == 3:
        made.PlanarConfiguration = 0
    made.BitsAllocated = array.dtype.itemsize * 8
    made.BitsStored = stored or made.BitsAllocated
    made.HighBit = made.BitsStored - 1
    made.PixelRepresentation = int(array.dtype.kind == "i")
    data = array.astype(array.dtype.newbyteorder("<")).tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB" if made.BitsAllocated <= 8 else "OW"
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def lut_item(first, entries, bits, vr="US"):
    """An item of a LUT sequence."""
    item = Dataset()
    item.add_new("LUTDescriptor", vr, [len(entries) % 65536, first, bits])
    item.add_new("LUTData", "OW", np.asarray(entries, "<u2").tobytes())
    return item


def encoded(made, syntax, frames, photometric=None, **options):
    """The data set with compressed frames."""
    made = copy.deepcopy(made)
    made.PixelData = encapsulate(frames, **options)
    made["PixelData"].VR = "OB"
    made["PixelData"].is_undefined_length = True
    made.file_meta.TransferSyntaxUID = syntax
    if photometric:
        made.PhotometricInterpretation = photometric
    return made


def compressed(made, syntax, **options):
    """The data set, compressed by an encoder of pydicom."""
    made = copy.deepcopy(made)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made.compress(syntax, generate_instance_uid=False, **options)
    return made


def dcmcjpeg(made, *options):
    """The data set, compressed by DCMTK's dcmcjpeg."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = pathlib.Path(folder) / "in.dcm", pathlib.Path(folder) / "out.dcm"
        made.save_as(source, enforce_file_format=True)
        subprocess.run(["dcmcjpeg", "--uid-never", *options, source, target], check=True)
        found = pydicom.dcmread(target)
        found.PixelData  # read while the file exists
        return found


def jpeg(array, **options):
    """A baseline JPEG by Pillow."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "JPEG", **options)
    return buffer.getvalue()


def save(name, made, syntax=None, data_set_only=False):
    """Writes a file in an uncompressed transfer syntax, or as it is."""
    path = FOLDER / f"{name}.dcm"
    made = copy.deepcopy(made)
    if syntax is not None:
        made.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        width = made.BitsAllocated // 8
        made.PixelData = np.frombuffer(made.PixelData, f"<u{width}").astype(f">u{width}").tobytes()
        for sequence in ("ModalityLUTSequence", "VOILUTSequence"):
            for item in made.get(sequence, []):
                item.LUTData = np.frombuffer(item.LUTData, "<u2").astype(">u2").tobytes()
    if data_set_only:
        implicit = made.file_meta.TransferSyntaxUID == ImplicitVRLittleEndian
        plain = Dataset(made)
        plain.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=False)
    elif syntax == ExplicitVRBigEndian:
        pydicom.dcmwrite(path, made, implicit_vr=False, little_endian=False, force_encoding=True)
    else:
        made.save_as(path, enforce_file_format=True)
    return path


def expect(name, suffix, levels, limit, **options):
    """Records a rendering of a file."""
    samples = np.concatenate([np.asarray(each).ravel() for each in levels])
    file = f"{name}{'-' + suffix if suffix else ''}.gray"
    (FOLDER / file).write_bytes(samples.astype("<u2").tobytes())
    entry = {"file": f"{name}.dcm", "expected": file, "frames": len(levels), "rows": int(levels[0].shape[0]),
             "columns": int(levels[0].shape[1]), "limit": limit}
    index.append(entry | options)


def fixture(name, made, syntax=None, data_set_only=False, limit=None, method="window", inverted=False):
    """Writes a file, and how pydicom renders all its frames by default."""
    path = save(name, made, syntax, data_set_only)
    levels, _, found = reference(path)
    if limit is None:
        limit = LEVEL if found in LOSSY else 1
    expect(name, "", levels, limit, window="voi", method=method, inverted=inverted)
    return path


def variant(name, suffix, window, method, **changes):
    """How pydicom renders a file of which attributes were changed in place of an option."""
    made = pydicom.dcmread(FOLDER / f"{name}.dcm")
    for attribute, value in changes.items():
        if value is None:
            delattr(made, attribute)
        else:
            setattr(made, attribute, value)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "changed.dcm"
        made.save_as(path)
        levels, _, _ = reference(path)
    inverted = made.PhotometricInterpretation == "MONOCHROME1"
    expect(name, suffix, levels, 1, window=window, method=method, inverted=inverted)


def full(name, stored, low, high, inverted=False):
    """The rendering of all values of the stored bits."""
    levels = np.round((stored - low) / (high - low) * WHITE)
    expect(name, "full", [WHITE - levels if inverted else levels], 1, window="full", method="full", inverted=inverted)


def monochrome():
    ct = wave(-1024, 3071).astype(np.int16)
    made = data_set(ct, RescaleSlope="1", RescaleIntercept="-24", WindowCenter=["40", "-600"],
                    WindowWidth=["400", "1500"], Modality="CT")
    fixture("ct-signed", made)
    variant("ct-signed", "second", "2", "window", WindowCenter="-600", WindowWidth="1500")
    variant("ct-signed", "explicit", "300,1500.5", "window", WindowCenter="300", WindowWidth="1500.5")
    full("ct-signed", ct.astype(float), -32768, 32767)
    fixture("implicit", made, ImplicitVRLittleEndian)
    fixture("big-endian", made, ExplicitVRBigEndian)
    fixture("deflated", made, DeflatedExplicitVRLittleEndian)
    fixture("no-meta-implicit", made, ImplicitVRLittleEndian, data_set_only=True)
    fixture("no-meta-explicit", made, ExplicitVRLittleEndian, data_set_only=True)
    fixture("negative-slope", data_set(ct, RescaleSlope="-0.75", RescaleIntercept="100.5"), method="min_max")

    dx = wave(0, 4095).astype(np.uint16)
    made = data_set(dx, 12, "MONOCHROME1", WindowCenter="2100", WindowWidth="3000", Modality="DX")
    fixture("dx-monochrome1", made, inverted=True)
    full("dx-monochrome1", dx.astype(float), 0, 4095, inverted=True)
    for function in ("SIGMOID", "LINEAR_EXACT"):
        made.VOILUTFunction = function
        fixture(function.lower().replace("_", "-"), made, inverted=True)
    made = data_set(dx, 12, WindowCenter="2000.5", WindowWidth="1")
    fixture("width-1", made)

    fixture("mr-no-window", data_set(wave(12, 900).astype(np.uint16), 12, Modality="MR"), method="min_max")
    fixture("constant", data_set(np.full((4, 5), 7, np.uint16), 12), method="min_max")
    fixture("gray-8", data_set(wave(3, 250).astype(np.uint8)), method="as_is")
    fixture("gray-8-monochrome1", data_set(wave(3, 250).astype(np.uint8), photometric="MONOCHROME1"), method="as_is",
            inverted=True)
    fixture("gray-8-signed", data_set(wave(-100, 120).astype(np.int8)), method="as_is")
    fixture("gray-6", data_set(wave(0, 63).astype(np.uint8), 6), method="as_is")
    fixture("odd", data_set(wave(0, 255, 3, 5).astype(np.uint8)), method="as_is")
    fixture("deep-32", data_set(wave(10_000, 4_000_000_000).astype(np.uint32)), method="min_max")
    fixture("deep-32-big-endian", data_set(wave(10_000, 4_000_000_000).astype(np.uint32)), ExplicitVRBigEndian,
            method="min_max")
    fixture("deep-32-signed", data_set(wave(-2_000_000_000, 2_000_000_000).astype(np.int32), RescaleSlope="0.001",
                                       RescaleIntercept="0", WindowCenter="1000", WindowWidth="300000"))


def tables():
    signed = wave(-1000, 2500).astype(np.int16)
    curve = np.round(4095 * (np.arange(2000) / 1999) ** 2).astype(int)
    item = lut_item(-800, curve, 12, "SS")
    second = lut_item(-100, np.arange(256) * 257, 16, "SS")
    made = data_set(signed, VOILUTSequence=Sequence([item, second]), WindowCenter="40", WindowWidth="400")
    fixture("voi-lut", made, method="voi_lut")
    variant("voi-lut", "second", "2", "voi_lut", VOILUTSequence=Sequence([second]))
    variant("voi-lut", "window", "3", "window", VOILUTSequence=None)
    fixture("voi-lut-implicit", made, ImplicitVRLittleEndian, method="voi_lut")
    fixture("voi-lut-big-endian", made, ExplicitVRBigEndian, method="voi_lut")
    unsigned = wave(0, 4095).astype(np.uint16)
    eight = lut_item(500, np.round(255 * np.sqrt(np.arange(3000) / 2999)).astype(int), 8)
    save("voi-lut-8", data_set(unsigned, 12, "MONOCHROME1", VOILUTSequence=Sequence([eight])))
    # pydicom counts the entries of a table of 8 bits in 8 bits, so the table is applied here.
    entries = np.frombuffer(eight.LUTData, "<u2").astype(int)
    levels = WHITE - 257 * entries[np.clip(unsigned.astype(int) - 500, 0, 2999)]
    expect("voi-lut-8", "", [levels], 1, window="voi", method="voi_lut", inverted=True)
    modality = lut_item(100, (4000 - np.arange(3500)) * 16, 16)
    fixture("modality-lut", data_set(unsigned, 12, ModalityLUTSequence=Sequence([modality]), WindowCenter="32000",
                                     WindowWidth="48000"))


def unusual_bits():
    # Bit 15 is an overlay, bits 12 to 14 are something else.
    stored = wave(0, 4095).astype(np.uint16)
    garbage = stored | (random.integers(0, 16, stored.shape).astype(np.uint16) << 12)
    made = data_set(garbage, 12, WindowCenter="2000", WindowWidth="3000")
    fixture("overlay-bits", made)
    signed = wave(-2048, 2047)
    garbage = ((signed & 0xFFF) | (random.integers(0, 16, stored.shape) << 12)).astype(np.uint16).view(np.int16)
    fixture("overlay-bits-signed", data_set(garbage, 12, WindowCenter="100", WindowWidth="3000"))

    padded = wave(0, 4000).astype(np.uint16)
    padded[:, :4] = 4095
    padded[:3, :] = 4093
    fixture("padding", data_set(padded, 12, "MONOCHROME1", PixelPaddingValue=4093, PixelPaddingRangeLimit=4095),
            method="min_max", inverted=True)
    padded = wave(-500, 2000).astype(np.int16)
    padded[:4, :] = -2000
    fixture("padding-signed", data_set(padded, PixelPaddingValue=-2000, RescaleSlope="2", RescaleIntercept="-10"),
            method="min_max")

    bits = wave(0, 1, 7, 9)
    for name, planes in (("one-bit", [bits]), ("one-bit-frames", [bits, 1 - bits, bits.T.reshape(7, 9)])):
        made = data_set(np.zeros((7, 9), np.uint8))
        made.BitsAllocated, made.BitsStored, made.HighBit = 1, 1, 0
        if len(planes) > 1:
            made.NumberOfFrames = len(planes)
        data = np.packbits(np.stack(planes).ravel(), bitorder="little").tobytes()
        made.PixelData = data + b"\0" * (len(data) % 2)
        fixture(name, made, method="as_is")


def color():
    rgb = np.stack([wave(0, 255), wave(0, 255, phase=2), wave(0, 255, phase=4)], -1).astype(np.uint8)
    fixture("us-rgb", data_set(rgb, photometric="RGB", Modality="US"), method="luma")
    planar = data_set(rgb, photometric="RGB", PlanarConfiguration=1)
    planar.PixelData = rgb.transpose(2, 0, 1).tobytes()
    fixture("us-rgb-planar", planar, method="luma")
    fixture("rgb-16", data_set(rgb.astype(np.uint16) * 250, photometric="RGB"), method="luma")
    fixture("us-ybr-full", data_set(rgb, photometric="YBR_FULL"), method="luma")
    pairs = rgb.reshape(ROWS, COLUMNS // 2, 2, 3)
    half = np.stack([pairs[:, :, 0, 0], pairs[:, :, 1, 0], pairs[:, :, 0, 1], pairs[:, :, 0, 2]], -1)
    made = data_set(rgb, photometric="YBR_FULL_422")
    made.PixelData = half.astype(np.uint8).tobytes()
    fixture("us-ybr-full-422", made, method="luma")

    def palette(first, tables, bits, dtype, photometric="PALETTE COLOR"):
        made = data_set(wave(0, 120).astype(np.uint8), photometric=photometric)
        for name, entries in zip(("Red", "Green", "Blue"), tables):
            setattr(made, f"{name}PaletteColorLookupTableDescriptor", [len(entries), first, bits])
            made[f"{name}PaletteColorLookupTableDescriptor"].VR = "US"
            data = np.asarray(entries, dtype).tobytes()
            setattr(made, f"{name}PaletteColorLookupTableData", data + b"\0" * (len(data) % 2))
        return made

    tables = [random.integers(0, 65536, 100) for _ in range(3)]
    fixture("palette-16", palette(10, tables, 16, "<u2"), method="luma")
    fixture("palette-8", palette(10, [each >> 8 for each in tables], 8, "u1"), method="luma")
    made = palette(0, tables, 16, "<u2")
    for name, start in (("Red", 0), ("Green", 500), ("Blue", 60000)):
        del made[f"{name}PaletteColorLookupTableData"]
        # Discrete, then linear.
        segments = [0, 2, start, start + 7, 1, 50, 65000, 1, 48, 300]
        setattr(made, f"Segmented{name}PaletteColorLookupTableData", np.asarray(segments, "<u2").tobytes())
    fixture("palette-segmented", made, method="luma")
    return rgb


def compression(rgb):
    gray8 = wave(0, 255).astype(np.uint8)
    gray12 = wave(0, 4095).astype(np.uint16)
    gray16 = wave(-3000, 3000).astype(np.int16)
    window = {"WindowCenter": "2000", "WindowWidth": "3000"}
    made8, made12 = data_set(gray8), data_set(gray12, 12, **window)
    made16 = data_set(gray16, RescaleSlope="1", RescaleIntercept="0", WindowCenter="0", WindowWidth="4000")
    made_rgb = data_set(rgb, photometric="RGB")

    fixture("rle", compressed(made12, RLELossless))
    fixture("rle-signed", compressed(made16, RLELossless))
    fixture("rle-rgb", compressed(made_rgb, RLELossless), method="luma")
    fixture("rle-8", compressed(made8, RLELossless), method="as_is")
    fixture("jpeg-ls", compressed(made12, JPEGLSLossless))
    fixture("jpeg-ls-near", compressed(made12, JPEGLSNearLossless, jls_error=3))
    fixture("jpeg-ls-rgb", compressed(made_rgb, JPEGLSLossless), method="luma")
    fixture("j2k", compressed(made12, JPEG2000Lossless))
    fixture("j2k-signed", compressed(made16, JPEG2000Lossless))
    fixture("j2k-lossy", compressed(made12, JPEG2000, j2k_psnr=[60]))
    rct = copy.deepcopy(made_rgb)
    rct.PhotometricInterpretation = "YBR_RCT"
    fixture("j2k-rct", compressed(rct, JPEG2000Lossless), method="luma")
    ict = copy.deepcopy(made_rgb)
    ict.PhotometricInterpretation = "YBR_ICT"
    fixture("j2k-ict", compressed(ict, JPEG2000, j2k_psnr=[50]), method="luma")

    fixture("jpeg-baseline", encoded(made8, JPEGBaseline8Bit, [jpeg(gray8, quality=90)]), method="as_is")
    for name, subsampling in (("444", 0), ("422", 1), ("420", 2)):
        frame = jpeg(rgb, quality=92, subsampling=subsampling)
        fixture(f"jpeg-ybr-{name}", encoded(made_rgb, JPEGBaseline8Bit, [frame], "YBR_FULL_422"), method="luma")
    # The attribute says RGB, the JFIF marker says YCbCr.
    fixture("jpeg-jfif-rgb", encoded(made_rgb, JPEGBaseline8Bit, [frame], "RGB"), method="luma")
    fixture("jpeg-rgb", dcmcjpeg(made_rgb, "+eb", "+cr", "+q", "95"), method="luma")
    fixture("jpeg-extended-12", dcmcjpeg(made12, "+ee", "+bt", "+q", "95"))
    fixture("jpeg-lossless", dcmcjpeg(made12, "+e1"))
    fixture("jpeg-lossless-process-14", dcmcjpeg(made12, "+el", "+sv", "4"))
    fixture("jpeg-lossless-signed", dcmcjpeg(made16, "+e1"))
    fixture("jpeg-lossless-rgb", dcmcjpeg(made_rgb, "+e1"), method="luma")
    odd = data_set(wave(0, 255, 3, 5).astype(np.uint8))
    fixture("jpeg-odd", encoded(odd, JPEGBaseline8Bit, [jpeg(wave(0, 255, 3, 5).astype(np.uint8))]), method="as_is")


def multiple_frames():
    stack = np.stack([wave(0, 4095, 33, 32, phase) for phase in (0, 1, 2)]).astype(np.uint16)
    made = data_set(stack, 12, frames=3, WindowCenter="2000", WindowWidth="3000")
    fixture("frames", made)
    fixture("frames-no-window", data_set(stack, 12, frames=3), method="min_max")
    fixture("frames-rle", compressed(made, RLELossless))
    fixture("frames-j2k", compressed(made, JPEG2000Lossless))
    single = [compressed(data_set(each, 12), JPEG2000Lossless) for each in stack]
    streams = [next(pydicom.encaps.generate_frames(each.PixelData, number_of_frames=1)) for each in single]
    for name, has_table in (("frames-fragments", False), ("frames-fragments-table", True)):
        fixture(name, encoded(made, JPEG2000Lossless, streams, fragments_per_frame=3, has_bot=has_table))
    one = data_set(stack[0], 12, WindowCenter="2000", WindowWidth="3000")
    made = encoded(one, JPEG2000Lossless, streams[:1], fragments_per_frame=4, has_bot=False)
    # An empty fragment before the others: after the item of the offset table.
    made.PixelData = made.PixelData[:8] + b"\xfe\xff\x00\xe0\x00\x00\x00\x00" + made.PixelData[8:]
    save("empty-fragment", made)
    levels, _, _ = reference(save_copy(one, JPEG2000Lossless, streams[:1]))
    expect("empty-fragment", "", levels, 1, window="voi", method="window", inverted=False)

    made = data_set(stack, 12, frames=3)
    shared, frames = Dataset(), []
    transformation = Dataset()
    transformation.RescaleSlope, transformation.RescaleIntercept, transformation.RescaleType = "2", "-100", "US"
    shared.PixelValueTransformationSequence = Sequence([transformation])
    for center in (1000, 3000, 5000):
        voi, item = Dataset(), Dataset()
        voi.WindowCenter, voi.WindowWidth = center, 4000
        item.FrameVOILUTSequence = Sequence([voi])
        frames.append(item)
    made.SharedFunctionalGroupsSequence = Sequence([shared])
    made.PerFrameFunctionalGroupsSequence = Sequence(frames)
    fixture("functional-groups", made)
    fixture("functional-groups-implicit", made, ImplicitVRLittleEndian)


def save_copy(made, syntax, streams):
    """A temporary file with one fragment per frame."""
    path = pathlib.Path(tempfile.mkdtemp()) / "copy.dcm"
    encoded(made, syntax, streams).save_as(path, enforce_file_format=True)
    return path


def defects():
    """Files that cannot be rendered; the tests know why."""
    gray = data_set(wave(0, 4095).astype(np.uint16), 12)
    save("bad-no-pixels", data_set(wave(0, 9).astype(np.uint8)))
    made = pydicom.dcmread(FOLDER / "bad-no-pixels.dcm")
    del made.PixelData
    made.save_as(FOLDER / "bad-no-pixels.dcm")
    changes = {
        "bad-bits": {"BitsStored": 17}, "bad-high-bit": {"HighBit": 5}, "bad-allocated": {"BitsAllocated": 12},
        "bad-photometric": {"PhotometricInterpretation": "HSV"}, "bad-samples": {"SamplesPerPixel": 3},
        "bad-rows": {"Rows": 500}, "bad-frames": {"NumberOfFrames": "7"}, "bad-zero": {"Columns": 0},
        "bad-window": {"WindowCenter": "5", "WindowWidth": "0"},
        "bad-function": {"WindowCenter": "5", "WindowWidth": "5", "VOILUTFunction": "CUBIC"},
    }
    for name, attributes in changes.items():
        made = copy.deepcopy(gray)
        for attribute, value in attributes.items():
            setattr(made, attribute, value)
        save(name, made)
    made = copy.deepcopy(gray)
    del made.Rows
    save("bad-missing-rows", made)
    made = copy.deepcopy(gray)
    del made.PixelData
    made.FloatPixelData = np.zeros(ROWS * COLUMNS, "<f4").tobytes()
    save("bad-float", made)
    stream = jpeg(wave(0, 255, 8, 8).astype(np.uint8))
    save("bad-jpeg-size", encoded(data_set(wave(0, 255).astype(np.uint8)), JPEGBaseline8Bit, [stream]))
    for name, uid in (("bad-mpeg", "1.2.840.10008.1.2.4.102"), ("bad-htj2k", "1.2.840.10008.1.2.4.201"),
                      ("bad-unknown-syntax", "1.2.3.4.5")):
        save(name, encoded(data_set(wave(0, 255).astype(np.uint8)), uid, [stream]))
    short = lut_item(0, np.arange(10), 12)
    short.LUTDescriptor = [200, 0, 12]
    save("bad-lut", data_set(wave(0, 255).astype(np.uint16), 12, VOILUTSequence=Sequence([short])))


def main():
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.iterdir():
        file.unlink()
    warnings.simplefilter("ignore")
    monochrome()
    tables()
    unusual_bits()
    compression(color())
    multiple_frames()
    defects()
    (FOLDER / "fixtures.json").write_text(json.dumps(index, indent=1) + "\n")
    size = sum(file.stat().st_size for file in FOLDER.iterdir())
    print(f"{len(index)} renderings, {len(list(FOLDER.glob('*.dcm')))} files, {size} bytes")


if __name__ == "__main__":
    main()
