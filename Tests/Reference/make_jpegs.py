"""Writes JPEG files with their expected samples, for Tests/JPEGTests.

The files are encoded and decoded by Pillow. The fixtures are committed. To write them again:

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0
    venv/bin/python Tests/Reference/make_jpegs.py Tests/JPEGTests/Images
"""

import io
import json
import math
import pathlib
import sys

import PIL.Image

WIDTH, HEIGHT = 37, 21


def picture(mode):
    image = PIL.Image.new(mode, (WIDTH, HEIGHT))
    bands = len(image.getbands())
    for y in range(HEIGHT):
        for x in range(WIDTH):
            values = [round(127.5 + 120 * math.sin((x + 5 * band) / 6) * math.cos((y - 3 * band) / 5)) for band in range(bands)]
            image.putpixel((x, y), values[0] if bands == 1 else tuple(values))
    return image


def encode(image, **options):
    target = io.BytesIO()
    image.save(target, "JPEG", quality=90, **options)
    return target.getvalue()


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # Orientation: rotate by 90 degrees to show.
    files = {
        "gray": encode(picture("L")),
        "color": encode(picture("RGB")),
        "color-444": encode(picture("RGB"), subsampling=0),
        "color-rgb": encode(picture("RGB"), keep_rgb=True),
        "gray-progressive": encode(picture("L"), progressive=True),
        "color-progressive": encode(picture("RGB"), progressive=True),
        "color-oriented": encode(picture("RGB"), exif=exif),
        "color-restarts": encode(picture("RGB"), restart_marker_blocks=2),
        "cmyk": encode(picture("CMYK")),
    }
    expected = {}
    for name, data in files.items():
        (folder / f"{name}.jpg").write_bytes(data)
        image = PIL.Image.open(io.BytesIO(data))
        if image.mode != "CMYK":
            expected[name] = {"channels": len(image.getbands()), "samples": list(image.tobytes())}
    (folder / "expected.json").write_text(json.dumps({"width": WIDTH, "height": HEIGHT, "files": expected}))


if __name__ == "__main__":
    main()
