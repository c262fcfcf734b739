#!/usr/bin/env python3
"""Compares `dia render` with pydicom's own pipeline on pydicom's test files, pixel by pixel.

    python3 -m venv .build/dicom-venv
    .build/dicom-venv/bin/pip install -r Tests/DICOMTests/requirements.txt
    .build/dicom-venv/bin/python Tests/DICOMTests/compare_pydicom.py [--dia .build/release/dia] [FILE_OR_FOLDER...]

Without arguments, all files in the packages pydicom and pydicom-data are compared. A file agrees if no pixel of any frame
differs by more than 1 of 65,535, or by more than one level of 255 after lossy compression, where decoders may round
differently. The exit status is 1 if a file differs, or if only one of the two can render it.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import pydicom
from PIL import Image
from pydicom.pixels import apply_color_lut, apply_modality_lut, apply_voi_lut, pixel_array

LOSSY = {
    "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51", "1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91",
    "1.2.840.10008.1.2.4.53", "1.2.840.10008.1.2.4.55",
}
# Where the two are known to disagree, and why.
KNOWN = {
    "JPEG-lossy.dcm": "its scan header is invalid and no decoder of pydicom reads it; dia renders it as JPGExtended.dcm",
    "OBXXXX1A_expb.dcm": "pydicom does not swap the bytes of big-endian palettes; dia renders it as OBXXXX1A.dcm",
    "OBXXXX1A_expb_2frame.dcm": "as OBXXXX1A_expb.dcm",
    "SC_rgb_jpeg.dcm": "the value representations are not those of the transfer syntax; DCMTK refuses it",
}
# Ratio of a level of 255 to one of 65,535.
LEVEL = 257
WHITE = 65535


def luma(rgb, maximum):
    """The gray levels of color samples, by Rec. 601."""
    gray = rgb[..., 0] * 0.299 + rgb[..., 1] * 0.587 + rgb[..., 2] * 0.114
    return np.round(gray * WHITE / maximum)


def output_range(data_set):
    """The range onto which pydicom maps windows."""
    if data_set.get("ModalityLUTSequence"):
        low, high = 0, 2 ** data_set.ModalityLUTSequence[0].LUTDescriptor[2] - 1
    elif data_set.PixelRepresentation == 0:
        low, high = 0, 2 ** data_set.BitsStored - 1
    else:
        low, high = -(2 ** (data_set.BitsStored - 1)), 2 ** (data_set.BitsStored - 1) - 1
    if "RescaleSlope" in data_set and "RescaleIntercept" in data_set:
        low, high = (float(each) * float(data_set.RescaleSlope) + float(data_set.RescaleIntercept) for each in (low, high))
    return low, high


def padding(data_set, stored):
    """Which pixels are padding. pydicom leaves them in the image."""
    if "PixelPaddingValue" not in data_set:
        return np.zeros(stored.shape, bool)
    value = data_set.PixelPaddingValue
    limit = data_set.get("PixelPaddingRangeLimit", value)
    return (stored >= min(value, limit)) & (stored <= max(value, limit))


def gray(data_set, stored):
    """The gray levels of one monochrome frame, and how they were made."""
    is_padding = padding(data_set, stored)
    values = apply_modality_lut(stored, data_set)
    has_lut = bool(data_set.get("VOILUTSequence"))
    has_window = data_set.get("WindowCenter") is not None and data_set.get("WindowWidth") is not None
    if has_lut:
        levels = apply_voi_lut(values, data_set) / (2 ** data_set.VOILUTSequence[0].LUTDescriptor[2] - 1)
        how = "VOI LUT"
    elif has_window:
        low, high = output_range(data_set)
        levels = (apply_voi_lut(values, data_set) - low) / (high - low)
        how = f"window {data_set.get('VOILUTFunction', 'LINEAR')}"
    elif data_set.BitsStored <= 8:
        low = -(2 ** (data_set.BitsStored - 1)) if data_set.PixelRepresentation else 0
        levels = (stored.astype(float) - low) / (2 ** data_set.BitsStored - 1)
        how = "as it is"
    else:
        seen = values[~is_padding].astype(float)
        low, high = (seen.min(), seen.max()) if seen.size else (0, 0)
        levels = (values - low) / (high - low) if high > low else np.zeros(values.shape)
        how = "min to max"
    levels = np.round(np.clip(levels, 0, 1) * WHITE)
    if data_set.PhotometricInterpretation == "MONOCHROME1":
        levels, how = WHITE - levels, how + ", inverted"
    levels[is_padding] = 0
    return levels, how


def functional_groups(data_set, index):
    """The data set with the transformations of a frame, which pydicom ignores, moved to where it looks for them."""
    groups = [data_set.get(name) for name in ("PerFrameFunctionalGroupsSequence", "SharedFunctionalGroupsSequence")]
    items = ([groups[0][index]] if groups[0] else []) + ([groups[1][0]] if groups[1] else [])
    # A copy with its own dictionary of elements.
    own = pydicom.Dataset()
    own.update({element.tag: element for element in data_set})
    own.file_meta = data_set.file_meta
    for sequence in ("FrameVOILUTSequence", "PixelValueTransformationSequence"):
        found = next((item[sequence].value[0] for item in items if sequence in item), None)
        if found is not None:
            own.update({element.tag: element for element in found})
    return own


def reference(path):
    """The gray levels of all frames by pydicom, and how they were made."""
    data_set = pydicom.dcmread(path, force=True)
    if not hasattr(data_set, "file_meta") or "TransferSyntaxUID" not in data_set.file_meta:
        syntax = [pydicom.uid.ImplicitVRLittleEndian, pydicom.uid.ExplicitVRLittleEndian,
                  pydicom.uid.ExplicitVRBigEndian]
        implicit, little = data_set.original_encoding
        data_set.ensure_file_meta()
        data_set.file_meta.TransferSyntaxUID = syntax[0] if implicit else syntax[1] if little else syntax[2]
    if not any(name in data_set for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        return None
    syntax = data_set.file_meta.TransferSyntaxUID
    stored = pixel_array(data_set)
    frames = int(data_set.get("NumberOfFrames", 1) or 1)
    if frames == 1:
        stored = stored[np.newaxis]
    functional = [functional_groups(data_set, index) for index in range(frames)]
    name = data_set.PhotometricInterpretation
    levels = []
    how = "luma"
    for frame, own in zip(stored, functional):
        if name == "PALETTE COLOR":
            colors = apply_color_lut(frame, data_set)
            levels.append(luma(colors.astype(float), 255 if colors.dtype == np.uint8 else WHITE))
            how = "palette"
        elif data_set.SamplesPerPixel == 3:
            levels.append(luma(frame.astype(float), 2 ** data_set.BitsStored - 1))
        else:
            each, how = gray(own, frame)
            levels.append(each)
    return levels, f"{name}, {how}", syntax


def rendered(dia, path, folder):
    """The gray levels of all frames by `dia render`; an error as text."""
    command = [dia, "render", str(path), "--frame", "all", "--out", str(folder), "--format", "jsonl"]
    outcome = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if outcome.returncode != 0:
        return outcome.stderr.strip().removeprefix(f"{path}: ")
    return [np.asarray(Image.open(json.loads(line)["output"])).astype(np.int64) for line in outcome.stdout.splitlines()]


def compare(dia, path, folder):
    """A verdict, the largest difference, and a remark."""
    ours = rendered(dia, path, folder)
    try:
        found = reference(path)
    except Exception as error:  # pydicom raises many types
        found = " ".join(f"{type(error).__name__}: {error}".split())[:120]
    if isinstance(found, str) and isinstance(ours, str):
        return "both refuse", None, ours
    if isinstance(found, str):
        return "only dia", None, f"pydicom: {found}"
    if found is None:
        return ("no image", None, "") if isinstance(ours, str) else ("only dia", None, "pydicom: no pixel data")
    theirs, how, syntax = found
    how = f"{pydicom.uid.UID(syntax).name.split(':')[0][:28]}, {how}"
    if isinstance(ours, str):
        return "only pydicom", None, f"{how}: {ours}"
    if len(ours) != len(theirs) or any(a.shape != b.shape for a, b in zip(ours, theirs)):
        return "differs", None, f"{how}: sizes"
    difference = max(int(np.abs(a - b).max()) for a, b in zip(ours, theirs))
    limit = LEVEL if syntax in LOSSY else 1
    return "equal" if difference <= limit else "differs", difference, f"{how}, {len(ours)} frame(s)"


def files(paths):
    """All files in the given files and folders."""
    for path in map(pathlib.Path, paths):
        yield from sorted(each for each in path.rglob("*") if each.is_file()) if path.is_dir() else [path]


def is_candidate(path):
    """Leaves out what is obviously another format, and pydicom's caches."""
    return path.suffix.lower() not in {".py", ".pyc", ".json", ".txt", ".md", ".dump", ".gz", ".zip", ".icc", ".svg"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="*")
    parser.add_argument("--dia", default=".build/release/dia")
    parser.add_argument("--quiet", action="store_true", help="print only what does not agree, and the summary")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    paths = arguments.paths
    if not paths:
        site = pathlib.Path(pydicom.__file__).parent
        paths = [site / "data" / "test_files", site.parent / "data_store" / "data"]
    counts, worst = {}, {}
    for path in files(paths):
        if not is_candidate(path):
            continue
        with tempfile.TemporaryDirectory() as folder:
            verdict, difference, remark = compare(arguments.dia, path, folder)
        if verdict in {"differs", "only dia", "only pydicom"} and path.name in KNOWN:
            remark += f" (known: {KNOWN[path.name]}; {verdict})"
            verdict, difference = "known", None
        counts[verdict] = counts.get(verdict, 0) + 1
        if verdict == "no image":
            continue
        if difference is not None:
            kind = remark.rsplit(", ", 1)[0]
            worst[kind] = max(worst.get(kind, 0), difference)
        if not arguments.quiet or verdict not in {"equal", "both refuse"}:
            shown = "" if difference is None else difference
            print(f"{verdict:13} {shown!s:>6}  {path.name:45} {remark}", flush=True)
    print("\nLargest difference of 65,535 by kind:")
    for kind, difference in sorted(worst.items()):
        print(f"{difference:>6}  {kind}")
    print("\n" + ", ".join(f"{count} {verdict}" for verdict, count in sorted(counts.items())))
    sys.exit(1 if counts.keys() & {"differs", "only dia", "only pydicom"} else 0)


if __name__ == "__main__":
    main()
