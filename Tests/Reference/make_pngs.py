"""Writes valid PNG files of all kinds with their expected samples, and invalid ones, in the categories of PngSuite.

An independent encoder for Tests/CodecsTests/PNGTests.swift. The expected samples of each file are computed from the
input pixels and compared with the output of two independent decoders: pypng for all files, and Pillow if samples have at
most 8 bits. The fixtures are committed. To write them again:

    python3 -m venv venv && venv/bin/pip install pypng==0.20220715.0 pillow==13.0.0
    venv/bin/python Tests/Reference/make_pngs.py Tests/CodecsTests/Images
"""

import base64
import dataclasses
import io
import json
import pathlib
import random
import struct
import sys
import warnings
import zlib

import PIL.Image
import PIL.ImageFile
import png as pypng

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tools"))

from dia_testing import SIGNATURE, png_chunk as chunk, png_header as header  # noqa: E402

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
KINDS = [(color, depth) for color, depths in DEPTHS.items() for depth in depths]
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
MIXED = None
# Files that Pillow and libpng accept, but pypng rejects. The first has palette entries beyond the largest index. In the
# second, the wrong zlib checksum comes after all pixels, in separate chunks whose own checksums are correct.
PYPNG_REFUSES = ("palette-longer-than-the-depth", "order-bytewise-checksum-wrong")


def pack(row, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", v) for v in row)
    if depth == 8:
        return bytes(row)
    bits = "".join(format(v, f"0{depth}b") for v in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, bytes_per_pixel, kind, rng):
    """Returns the rows with filter `kind`, or each with a random filter if `kind` is MIXED."""
    out, above = b"", None
    for row in rows:
        above = above or bytes(len(row))
        own = rng.randrange(5) if kind is MIXED else kind
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            b = above[i]
            c = above[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            p = a + b - c
            distance = (abs(p - a), abs(p - b), abs(p - c))
            paeth = (a, b, c)[distance.index(min(distance))]
            line.append((value - (0, a, b, (a + b) // 2, paeth)[own]) & 255)
        out += bytes([own]) + bytes(line)
        above = row
    return out


@dataclasses.dataclass
class Picture:
    """Random pixels of a color type and depth, with a palette if needed and optional transparency."""

    color: int
    depth: int
    width: int = 11
    height: int = 9
    transparent: bool = False
    colors: int = 200
    seed: int = 7

    def __post_init__(self):
        rng = random.Random(f"{self.color} {self.depth} {self.width} {self.height} {self.seed}")
        self.top = (1 << self.depth) - 1
        self.palette = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(min(self.top + 1, self.colors))]
        self.alphas = [rng.randrange(256) for _ in self.palette[: len(self.palette) // 2 + 1]]
        limit = len(self.palette) - 1 if self.color == 3 else self.top
        self.pixels = [
            [tuple(rng.randint(0, limit) for _ in range(CHANNELS[self.color])) for _ in range(self.width)]
            for _ in range(self.height)
        ]
        self.key = self.pixels[self.height // 2][self.width // 2]

    def scanlines(self, interlaced, kind=MIXED):
        step = max(1, CHANNELS[self.color] * self.depth // 8)
        rng = random.Random(5)
        raw = b""
        for x, y, dx, dy in PASSES if interlaced else [(0, 0, 1, 1)]:
            part = [row[x::dx] for row in self.pixels[y::dy]]
            if part and part[0]:
                raw += filtered([pack([v for p in row for v in p], self.depth) for row in part], step, kind, rng)
        return raw

    def palette_chunk(self):
        return chunk(b"PLTE", bytes(v for c in self.palette for v in c)) if self.color == 3 else b""

    def transparency(self):
        if not self.transparent:
            return b""
        if self.color == 3:
            return chunk(b"tRNS", bytes(self.alphas))
        return chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in self.key))

    def file(self, interlaced=False, first=b"", before=b"", after=b"", kind=MIXED, split=None, level=9, packed=None):
        """Returns the file, with `first` before the palette, `before` and `after` the pixels, and IDAT split by `split`."""
        packed = zlib.compress(self.scanlines(interlaced, kind), level) if packed is None else packed
        parts = split(packed) if split else [packed]
        return (
            SIGNATURE + header(self.width, self.height, self.depth, self.color, interlace=int(interlaced)) + first
            + self.palette_chunk() + self.transparency() + before + b"".join(chunk(b"IDAT", part) for part in parts)
            + after + chunk(b"IEND")
        )

    def samples(self):
        """Returns the samples of the pixels, 0 to 1, composited on black."""
        return [v for row in self.pixels for pixel in row for v in self.sample(pixel)]

    def sample(self, pixel):
        if self.color == 3:
            index = pixel[0]
            alpha = self.alphas[index] / 255 if self.transparent and index < len(self.alphas) else 1
            return [v / 255 * alpha for v in self.palette[index]]
        colors = 1 if self.color in (0, 4) else 3
        alpha = pixel[-1] / self.top if self.color in (4, 6) else 0 if self.transparent and pixel == self.key else 1
        return [v / self.top * alpha for v in pixel[:colors]]


def composed(values, channels, top):
    colors = 1 if channels < 3 else 3
    for i in range(0, len(values), channels):
        alpha = values[i + colors] / top if channels > colors else 1
        yield from (v / top * alpha for v in values[i : i + colors])


def read_by_pypng(data):
    reader = pypng.Reader(bytes=data)
    # Skipped chunks may have wrong checksums. With sBIT, pypng would round the samples.
    reader.preamble(lenient=True)
    reader.sbit = None
    _, _, rows, info = reader.asDirect()
    return list(composed([v for row in rows for v in row], info["planes"], (1 << info["bitdepth"]) - 1))


def read_by_pillow(data, colors):
    values = PIL.Image.open(io.BytesIO(data)).convert("RGBA" if colors == 3 else "LA").tobytes()
    return list(composed(values, colors + 1, 255))


def check(name, picture, data):
    expected = picture.samples()

    def compare(decoder, values):
        assert len(values) == len(expected), (name, decoder, len(values))
        assert all(abs(a - b) < 1e-6 for a, b in zip(values, expected)), (name, decoder)

    if name not in PYPNG_REFUSES:
        compare("pypng", read_by_pypng(data))
    # Pillow rounds 16 bits to 8, and misinterprets the transparent value of 2-bit and 4-bit images.
    if picture.depth <= 8 and not (picture.transparent and picture.color == 0 and picture.depth in (2, 4)):
        compare("Pillow", read_by_pillow(data, 1 if picture.color in (0, 4) else 3))


def bytewise(packed):
    return [packed[i : i + 1] for i in range(len(packed))]


def basic():
    for color, depth in KINDS:
        for interlaced in (False, True):
            for transparent in (False, True) if color in (0, 2, 3) else (False,):
                name = f"color{color}-depth{depth}-{'adam7' if interlaced else 'plain'}{'-trns' if transparent else ''}"
                picture = Picture(color, depth, transparent=transparent)
                yield name, picture, picture.file(interlaced)


def sizes():
    """Side lengths 1 to 9 and 32 to 40, as in PngSuite, and strips with empty Adam7 passes."""
    squares = [(side, side) for side in (*range(1, 10), *range(32, 41))]
    kinds = [(3, 1), (0, 1), (3, 2), (0, 2), (3, 4), (0, 4), (2, 8), (3, 8), (4, 8)]
    for place, (width, height) in enumerate([*squares, (1, 9), (9, 1), (5, 1), (1, 5), (2, 7), (4, 3)]):
        # Large images have a low depth, so that the files are small.
        color, depth = kinds[place % (6 if width > 9 else 9)]
        picture = Picture(color, depth, width, height)
        for interlaced in (False, True):
            yield f"size-{width}x{height}-{'adam7' if interlaced else 'plain'}", picture, picture.file(interlaced)


def backgrounds():
    """All kinds of bKGD, which must be ignored: transparency is composited on black."""
    for color, depth, transparent in [
        (0, 1, True), (0, 4, True), (0, 8, True), (0, 16, True), (2, 8, True), (2, 16, True), (3, 4, True), (3, 8, True),
        (4, 8, False), (4, 16, False), (6, 8, False), (6, 16, False),
    ]:
        picture = Picture(color, depth, transparent=transparent)
        value = b"\1" if color == 3 else struct.pack(">H", picture.top) * (1 if color in (0, 4) else 3)
        yield f"background-color{color}-depth{depth}", picture, picture.file(before=chunk(b"bKGD", value))


def gammas():
    """Gamma and color spaces, which must not change samples."""
    for color, depth in [(0, 16), (2, 8), (3, 4)]:
        picture = Picture(color, depth)
        for gamma in (35000, 45000, 55000, 70000, 100000, 250000):
            yield f"gamma-{gamma}-color{color}", picture, picture.file(first=chunk(b"gAMA", struct.pack(">I", gamma)))
    white = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    profile = b"a profile\0\0" + zlib.compress(b"no profile that anyone could read")
    for name, data in [
        ("chromaticities", chunk(b"cHRM", white)), ("srgb", chunk(b"sRGB", b"\0")), ("profile", chunk(b"iCCP", profile)),
        ("all", chunk(b"cHRM", white) + chunk(b"gAMA", struct.pack(">I", 45455)) + chunk(b"sRGB", b"\1")),
    ]:
        picture = Picture(2, 8)
        yield f"gamma-{name}", picture, picture.file(first=data)


def filters():
    for color, depth in [(0, 1), (0, 8), (2, 8), (6, 16)]:
        picture = Picture(color, depth, 13, 7)
        for kind in (0, 1, 2, 3, 4, MIXED):
            name = "mixed" if kind is MIXED else kind
            yield f"filter-{name}-color{color}-depth{depth}", picture, picture.file(kind=kind)


def palettes():
    suggested = b"six colours\0\10" + bytes(range(6 * 6))
    deep = b"six colours\0\20" + bytes(range(6 * 10))
    plte = chunk(b"PLTE", bytes(range(30)))
    for color, depth in [(2, 8), (2, 16), (6, 8), (6, 16)]:
        picture = Picture(color, depth)
        yield f"palette-suggested-color{color}-depth{depth}", picture, picture.file(first=plte)
        picture = Picture(color, depth)
        both = chunk(b"sPLT", suggested) + chunk(b"sPLT", deep)
        yield f"palette-splt-color{color}-depth{depth}", picture, picture.file(first=both)
    for depth, colors in [(8, 256), (4, 15)]:
        picture = Picture(3, depth, colors=colors)
        data = picture.file(before=chunk(b"hIST", b"\0\1" * colors))
        yield f"palette-histogram-depth{depth}", picture, data
    for depth in (1, 2, 4, 8):
        picture = Picture(3, depth, colors=1)
        yield f"palette-one-color-depth{depth}", picture, picture.file()
    picture = Picture(3, 2)
    extra = picture.palette_chunk()[8:-4] + bytes(9)
    data = picture.file().replace(picture.palette_chunk(), chunk(b"PLTE", extra))
    yield "palette-longer-than-the-depth", picture, data


def ancillaries():
    """Chunks that are skipped, valid or not, before and after the pixels."""
    meter = struct.pack(">IIB", 2835, 2835, 1)
    listed = {
        "significant-bits-gray": (0, 8, chunk(b"sBIT", b"\5")),
        "significant-bits-gray16": (0, 16, chunk(b"sBIT", b"\14")),
        "significant-bits-rgb": (2, 8, chunk(b"sBIT", b"\5\6\5")),
        "significant-bits-palette": (3, 4, chunk(b"sBIT", b"\4\4\4")),
        "significant-bits-rgba": (6, 16, chunk(b"sBIT", b"\15\15\15\15")),
        "size": (0, 8, chunk(b"pHYs", meter)),
        "size-oblong": (0, 8, chunk(b"pHYs", struct.pack(">IIB", 1, 4, 0))),
        "time": (0, 8, chunk(b"tIME", struct.pack(">HBBBBB", 2026, 11, 24, 12, 34, 56))),
        "time-impossible": (0, 8, chunk(b"tIME", struct.pack(">HBBBBB", 2026, 13, 32, 24, 60, 61))),
        "text": (0, 8, chunk(b"tEXt", b"Comment\0nobody's name") * 3),
        "text-empty": (0, 8, chunk(b"tEXt")),
        "text-compressed": (0, 8, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"nobody's name"))),
        "text-compressed-broken": (0, 8, chunk(b"zTXt", b"Comment\0\0no deflate")),
        "text-international": (0, 8, chunk(b"iTXt", "Titel\0\0\0de\0Überschrift\0κανείς".encode())),
        "text-international-compressed": (
            0, 8, chunk(b"iTXt", b"Title\0\1\0\0\0" + zlib.compress("κανείς".encode())),
        ),
        "exif": (0, 8, chunk(b"eXIf", b"MM\0*\0\0\0\10\0\0\0\0\0\0")),
        "exif-broken": (0, 8, chunk(b"eXIf", b"XX")),
        "private": (0, 8, chunk(b"prVt", bytes(100))),
        "gamma-zero": (0, 8, chunk(b"gAMA", bytes(4))),
        "histogram-without-a-palette": (0, 8, chunk(b"hIST", bytes(3))),
        "twice": (0, 8, chunk(b"gAMA", struct.pack(">I", 45455)) * 2 + chunk(b"pHYs", meter) * 2),
        "text-of-wrong-checksum": (0, 8, chunk(b"tEXt", b"Comment\0nobody's name", checksum=1)),
        "background-beyond-the-palette": (3, 2, chunk(b"bKGD", b"\377")),
    }
    for name, (color, depth, data) in listed.items():
        picture = Picture(color, depth)
        yield f"ancillary-{name}", picture, picture.file(before=data)
    picture = Picture(4, 8)
    after = chunk(b"tIME", struct.pack(">HBBBBB", 2026, 11, 24, 12, 34, 56)) + chunk(b"zTXt", b"Comment\0\0no deflate")
    yield "ancillary-after-the-pixels", picture, picture.file(after=after)


def orders():
    """Pixel data split into chunks in different ways."""
    cuts = {
        "two": lambda packed: [packed[:20], packed[20:]],
        "four": lambda packed: [packed[i : i + len(packed) // 4 + 1] for i in range(0, len(packed), len(packed) // 4 + 1)],
        "bytewise": bytewise,
        "with-empty-ones": lambda packed: [b"", packed[:1], b"", b"", packed[1:30], packed[30:], b"", b""],
        "checksum-apart": lambda packed: [packed[:2], packed[2:-4], packed[-4:]],
    }
    for name, split in cuts.items():
        for color, depth, interlaced in [(0, 16, False), (2, 16, True)]:
            picture = Picture(color, depth)
            data = picture.file(interlaced, split=split)
            yield f"order-{name}-color{color}", picture, data
    # Short data after the last pixel, in separate chunks, is ignored.
    picture = Picture(0, 8)
    packed = zlib.compress(picture.scanlines(False))
    yield "order-bytewise-checksum-wrong", picture, picture.file(packed=packed[:-4] + b"\1\2\3\4", split=bytewise)
    yield "order-few-bytes-after-the-end", picture, picture.file(
        packed=packed + b"more", split=lambda packed: [packed[:-4], packed[-4:]]
    )


def compressions():
    picture = Picture(2, 8)
    raw = picture.scanlines(False)
    for level in range(10):
        yield f"zlib-level-{level}", picture, picture.file(level=level)
    for bits in (9, 12, 15):
        packer = zlib.compressobj(9, wbits=bits)
        yield f"zlib-window-{bits}", picture, picture.file(packed=packer.compress(raw) + packer.flush())
    for strategy in ("Z_FIXED", "Z_HUFFMAN_ONLY", "Z_RLE", "Z_FILTERED"):
        packer = zlib.compressobj(9, strategy=getattr(zlib, strategy))
        packed = packer.compress(raw) + packer.flush()
        yield f"zlib-{strategy[2:].lower().replace('_', '-')}", picture, picture.file(packed=packed)
    packer = zlib.compressobj()
    flushed = b"".join(packer.compress(raw[i : i + 34]) + packer.flush(zlib.Z_FULL_FLUSH) for i in range(0, len(raw), 34))
    yield "zlib-flushed-each-row", picture, picture.file(packed=flushed + packer.flush())


def rejected():
    """Invalid files, by the kind of error."""
    gray = Picture(0, 8)
    good = gray.file(before=chunk(b"tEXt", b"Comment\0nobody's name"), split=lambda p: [p[:20], p[20:]])
    ihdr, idat, iend = 8, good.index(b"IDAT") - 4, len(good) - 12
    second = good.index(b"IDAT", idat + 8) - 4
    raw = gray.scanlines(False)
    packed = zlib.compress(raw)

    def with_header(*values, data=None):
        return good[:ihdr] + (header(*values) if data is None else chunk(b"IHDR", data)) + good[ihdr + 25 :]

    def flipped(data, place):
        return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]

    # Files damaged by text-mode transfers, and other wrong signatures.
    for place in range(8):
        yield f"signature-byte-{place}", flipped(good, place)
    yield "signature-seven-bits", b"\x09" + good[1:]
    yield "signature-cr-lf-to-lf", good.replace(b"\r\n", b"\n")
    yield "signature-lf-to-cr-lf", good.replace(b"\n", b"\r\n")
    yield "signature-cr-to-lf", good.replace(b"\r", b"\n")
    yield "signature-without-end-of-file", good.replace(b"\x1a", b"", 1)
    yield "signature-twice", SIGNATURE + good
    yield "signature-only", SIGNATURE
    yield "signature-after-a-blank", b" " + good
    yield "empty", b""
    yield "text", b"this is no image"
    yield "jpeg", b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    yield "mng", b"\x8aMNG\r\n\x1a\n" + good[8:]
    yield "base64", base64.b64encode(good)

    w, h = gray.width, gray.height
    yield "header-missing", good[:ihdr] + good[ihdr + 25 :]
    yield "header-not-first", good[:ihdr] + chunk(b"tEXt", b"Comment\0first") + good[ihdr:]
    yield "header-twice", good[: ihdr + 25] + good[ihdr:]
    yield "header-after-pixels", good[:iend] + good[ihdr : ihdr + 25] + good[iend:]
    yield "header-too-short", with_header(data=good[ihdr + 8 : ihdr + 20])
    yield "header-too-long", with_header(data=good[ihdr + 8 : ihdr + 21] + b"\0")
    yield "header-checksum", flipped(good, ihdr + 23)
    yield "header-width-zero", with_header(0, h, 8, 0)
    yield "header-height-zero", with_header(w, 0, 8, 0)
    yield "header-width-negative", with_header(0xFFFFFFFF, h, 8, 0)
    yield "header-height-negative", with_header(w, 0x80000000, 8, 0)
    for color, depth in [(0, 0), (0, 3), (0, 32), (2, 1), (2, 4), (2, 24), (3, 16), (4, 1), (4, 4), (6, 2), (6, 99)]:
        yield f"header-color{color}-depth{depth}", with_header(w, h, depth, color)
    for color in (1, 5, 7, 8, 255):
        yield f"header-color{color}", with_header(w, h, 8, color)
    yield "header-compression", with_header(w, h, 8, 0, 1)
    for method in (1, 64):
        yield f"header-filter-method-{method}", with_header(w, h, 8, 0, 0, method)
    for method in (2, 255):
        yield f"header-interlace-{method}", with_header(w, h, 8, 0, 0, 0, method)

    # Palettes and transparency.
    yield "palette-missing", with_header(w, h, 8, 3)
    indexed = Picture(3, 4, colors=9, transparent=True)
    whole, plte, trns = indexed.file(), indexed.palette_chunk(), indexed.transparency()
    entries = plte[8:-4]
    for name, new in {
        "empty": chunk(b"PLTE"), "of-257": chunk(b"PLTE", bytes(257 * 3)), "no-multiple-of-3": chunk(b"PLTE", entries + b"\0"),
        "checksum": flipped(plte, len(plte) - 1), "value-changed": flipped(plte, 9), "twice": plte + plte,
    }.items():
        yield f"palette-{name}", whole.replace(plte, new)
    yield "palette-after-pixels", whole.replace(plte, b"").replace(chunk(b"IEND"), plte + chunk(b"IEND"))
    for color, depth in [(0, 8), (4, 16)]:
        yield f"palette-in-color{color}", Picture(color, depth).file(first=plte)
    yield "palette-in-color2-no-multiple-of-3", Picture(2, 8).file(first=chunk(b"PLTE", entries + b"\0"))
    for depth, colors in [(1, 1), (2, 3), (4, 9), (8, 200), (8, 255)]:
        for interlaced in (False, True):
            beyond = Picture(3, depth, colors=colors)
            beyond.pixels[-1][-1] = (colors,)
            yield f"palette-index-{colors}-depth{depth}-{'adam7' if interlaced else 'plain'}", beyond.file(interlaced)
    for name, new in {
        "checksum": flipped(trns, len(trns) - 1), "twice": trns + trns, "empty": chunk(b"tRNS"),
        "longer-than-the-palette": chunk(b"tRNS", bytes(10)),
    }.items():
        yield f"transparency-{name}", whole.replace(trns, new)
    yield "transparency-before-the-palette", whole.replace(plte + trns, trns + plte)
    yield "transparency-after-pixels", whole.replace(trns, b"").replace(chunk(b"IEND"), trns + chunk(b"IEND"))
    for color, depth, length in [(0, 8, 1), (0, 16, 6), (2, 8, 5), (2, 16, 2), (4, 8, 2), (6, 8, 6)]:
        data = Picture(color, depth).file(before=chunk(b"tRNS", bytes(length)))
        yield f"transparency-of-{length}-in-color{color}-depth{depth}", data
    keyed = Picture(0, 8, transparent=True)
    key = keyed.transparency()
    yield "transparency-checksum-in-color0", keyed.file().replace(key, flipped(key, 9))

    # Pixels.
    def pixels(data, picture=gray, interlaced=False):
        return picture.file(interlaced, packed=data)

    yield "pixels-missing", good[:idat] + good[iend:]
    yield "pixels-empty", pixels(b"")
    yield "pixels-chunk-checksum", flipped(good, idat + 30)
    yield "pixels-changed", flipped(good, idat + 12)
    yield "pixels-not-consecutive", good[:second] + chunk(b"tEXt", b"Comment\0between") + good[second:]
    yield "pixels-after-text", good[:iend] + chunk(b"tEXt", b"Comment\0between") + good[second:]
    yield "pixels-empty-after-text", good[:iend] + chunk(b"tEXt", b"Comment\0between") + chunk(b"IDAT") + good[iend:]
    yield "pixels-after-their-end", good[:iend] + chunk(b"IDAT", bytes(300)) + good[iend:]
    yield "pixels-a-byte-after-their-end", pixels(packed + b"\0")
    yield "pixels-zlib-checksum", pixels(flipped(packed, len(packed) - 1))
    adam7 = gray.scanlines(True)
    woven = zlib.compress(adam7)
    wrong = flipped(packed, len(packed) - 1)
    yield "pixels-zlib-checksum-apart", gray.file(packed=wrong, split=lambda packed: [packed[:-4], packed[-4:]])
    yield "pixels-zlib-checksum-of-adam7", pixels(flipped(woven, len(woven) - 1), interlaced=True)
    yield "pixels-zlib-checksum-missing", pixels(packed[:-4])
    yield "pixels-zlib-checksum-cut", pixels(packed[:-1])
    yield "pixels-zlib-method", pixels(b"\x77\x85" + packed[2:])
    yield "pixels-zlib-header", pixels(b"\x78\x9d" + packed[2:])
    yield "pixels-zlib-dictionary", pixels(b"\x78\xbb\0\0\0\1" + packed[2:])
    yield "pixels-zlib-window-too-small", pixels(b"\x08\x1d" + zlib.compress(bytes(300) + raw)[2:], Picture(0, 8, 30, 40))
    yield "pixels-deflate-block-type", pixels(b"\x78\x9c\x07" + packed[3:])
    yield "pixels-deflate-cut", pixels(packed[: len(packed) // 2])
    yield "pixels-no-deflate", pixels(raw)
    yield "pixels-gzip", pixels(zlib.compressobj(wbits=31).compress(raw) + packed)
    yield "pixels-a-byte-missing", pixels(zlib.compress(raw[:-1]))
    yield "pixels-a-row-missing", pixels(zlib.compress(raw[: -w - 1]))
    yield "pixels-a-byte-too-many", pixels(zlib.compress(raw + b"\0"))
    yield "pixels-a-row-too-many", pixels(zlib.compress(raw + bytes(w + 1)))
    yield "pixels-a-thousand-rows-too-many", pixels(zlib.compress(raw + bytes(1000 * (w + 1))))
    yield "pixels-a-row-too-many-of-adam7", pixels(zlib.compress(adam7 + bytes(w + 1)), interlaced=True)
    yield "pixels-a-pass-missing-of-adam7", pixels(zlib.compress(adam7[: -4 * (w + 1)]), interlaced=True)
    yield "pixels-fewer-than-the-header", with_header(w, h * 20, 8, 0)
    yield "pixels-more-than-the-header", with_header(w, h - 1, 8, 0)
    for kind in (5, 255):
        yield f"pixels-filter-{kind}", pixels(zlib.compress(raw[: w + 1] + bytes([kind]) + raw[w + 2 :]))
    yield "pixels-filter-5-of-adam7", pixels(zlib.compress(b"\5" + adam7[1:]), interlaced=True)

    # Chunks.
    yield "chunk-longer-than-the-file", good[:second] + struct.pack(">I", 0x7FFFFFF0) + good[second + 4 :]
    yield "chunk-of-negative-length", good[:second] + b"\xff\xff\xff\xff" + good[second + 4 :]
    yield "text-longer-than-the-file", good[: ihdr + 25] + struct.pack(">I", 100_000) + good[ihdr + 29 :]
    for name, kind in {"digits": b"tE1t", "zero": b"\0\0\0\0", "umlaut": b"t\xc4Xt", "bracket": b"tEX["}.items():
        yield f"chunk-name-{name}", good[:idat] + chunk(kind, b"data") + good[idat:]
    yield "chunk-critical-unknown", good[:idat] + chunk(b"CRIT", b"data") + good[idat:]
    yield "chunk-critical-unknown-after-pixels", good[:iend] + chunk(b"CRIT", b"data") + good[iend:]
    yield "chunk-apple", good[:ihdr] + chunk(b"CgBI", b"\x50\0\x20\2") + good[ihdr:]
    yield "end-missing", good[:iend]
    yield "end-cut", good[:-1]
    yield "end-checksum", flipped(good, len(good) - 1)
    yield "end-with-data", good[:iend] + chunk(b"IEND", b"data")
    yield "end-before-pixels", good[:idat] + good[iend:] + good[idat:]
    for name, place in {"header": ihdr + 25, "text": idat, "first-pixels": second}.items():
        yield f"cut-after-{name}", good[:place]
    yield "cut-in-header", good[: ihdr + 12]
    yield "cut-in-pixels", good[: idat + 30]
    yield "cut-in-length", good[: second + 2]

    # Bytes after the end of the image.
    for name, more in {
        "a-zero": b"\0", "a-line-end": b"\n", "text": b"and more", "another-image": good, "another-end": good[iend:],
    }.items():
        yield f"trailing-{name}", good + more


# Files of rejected() whose faults cost no pixel, so that they are decoded.
TOLERATED = {
    "palette-in-color0",
    "palette-in-color4",
    "pixels-a-byte-after-their-end",
    "pixels-after-their-end",
    "trailing-a-line-end",
    "trailing-a-zero",
    "trailing-another-end",
    "trailing-another-image",
    "trailing-text",
    "transparency-of-2-in-color4-depth8",
    "transparency-of-6-in-color6-depth8",
}


def main():
    folder = pathlib.Path(sys.argv[1])
    for part in ("accepted", "rejected", "faulty"):
        (folder / part).mkdir(parents=True, exist_ok=True)
        for old in (folder / part).glob("*.png"):
            old.unlink()
    # Both decoders ignore wrong checksums in skipped chunks only with these settings.
    warnings.simplefilter("ignore", RuntimeWarning)
    PIL.ImageFile.LOAD_TRUNCATED_IMAGES = True
    colors = {0: "gray", 2: "rgb", 3: "palette", 4: "gray-alpha", 6: "rgb-alpha"}
    expected = {}
    for category in (basic, sizes, backgrounds, gammas, filters, palettes, ancillaries, orders, compressions):
        for name, picture, data in category():
            assert name not in expected, name
            check(name, picture, data)
            (folder / "accepted" / f"{name}.png").write_bytes(data)
            samples = picture.samples()
            expected[name] = {
                "width": picture.width, "height": picture.height, "depth": picture.depth, "color": colors[picture.color],
                "samples": base64.b64encode(struct.pack(f"<{len(samples)}f", *samples)).decode(),
            }
    (folder / "expected.json").write_text(json.dumps(expected, indent=0) + "\n")
    broken = list(rejected())
    assert len(dict(broken)) == len(broken) == len({data for _, data in broken}), "two files are identical"
    for name, data in broken:
        (folder / ("faulty" if name in TOLERATED else "rejected") / f"{name}.png").write_bytes(data)
    huge = SIGNATURE + header(50000, 50000, 8, 0) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND")
    (folder / "huge.png").write_bytes(huge)
    print(f"{len(expected)} accepted, {len(broken)} rejected or tolerated")


if __name__ == "__main__":
    main()
