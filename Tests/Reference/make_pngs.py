"""Writes PNG files of every legal colour type, bit depth and interlace, with the samples they stand for.

An independent encoder for Tests/CodecsTests/PNGTests.swift. The fixtures it wrote are committed; to write
them again: python3 Tests/Reference/make_pngs.py Tests/CodecsTests/Images
"""

import json
import pathlib
import random
import struct
import sys
import zlib

WIDTH, HEIGHT = 11, 9
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(row, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", v) for v in row)
    if depth == 8:
        return bytes(row)
    bits = "".join(format(v, f"0{depth}b") for v in row)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


def filtered(rows, bytes_per_pixel, rng):
    """Each row with a filter of its own, so that all five are used."""
    out, above = b"", None
    for row in rows:
        above = above or bytes(len(row))
        kind = rng.randrange(5)
        line = bytearray()
        for i, value in enumerate(row):
            a = row[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            b = above[i]
            c = above[i - bytes_per_pixel] if i >= bytes_per_pixel else 0
            p = a + b - c
            distance = (abs(p - a), abs(p - b), abs(p - c))
            paeth = (a, b, c)[distance.index(min(distance))]
            line.append((value - (0, a, b, (a + b) // 2, paeth)[kind]) & 255)
        out += bytes([kind]) + bytes(line)
        above = row
    return out


def encode(pixels, color, depth, interlaced, extra, rng):
    step = max(1, CHANNELS[color] * depth // 8)

    def image(part):
        return filtered([pack([v for p in row for v in p], depth) for row in part], step, rng)

    if interlaced:
        raw = b""
        for x, y, dx, dy in PASSES:
            part = [row[x::dx] for row in pixels[y::dy]]
            if part and part[0]:
                raw += image(part)
    else:
        raw = image(pixels)
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, int(interlaced))
    packed = zlib.compress(raw)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"gAMA", struct.pack(">I", 100000))
        + chunk(b"tEXt", b"Comment\0nobody's name") + extra
        + chunk(b"IDAT", packed[:20]) + chunk(b"IDAT", packed[20:]) + chunk(b"IEND", b"")
    )


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "accepted").mkdir(parents=True, exist_ok=True)
    (folder / "rejected").mkdir(parents=True, exist_ok=True)
    rng = random.Random(7)
    expected = {}
    for color, depths in DEPTHS.items():
        for depth in depths:
            for interlaced in (False, True):
                for transparent in (False, True) if color in (0, 2, 3) else (False,):
                    top = (1 << depth) - 1
                    palette = [tuple(rng.randrange(256) for _ in range(3)) for _ in range(min(top + 1, 200))]
                    alphas = [rng.randrange(256) for _ in palette[: len(palette) // 2 + 1]]
                    limit = len(palette) - 1 if color == 3 else top
                    pixels = [
                        [tuple(rng.randint(0, limit) for _ in range(CHANNELS[color])) for _ in range(WIDTH)]
                        for _ in range(HEIGHT)
                    ]
                    key = pixels[4][4]
                    extra = chunk(b"PLTE", bytes(v for c in palette for v in c)) if color == 3 else b""
                    if transparent and color == 3:
                        extra += chunk(b"tRNS", bytes(alphas))
                    elif transparent:
                        extra += chunk(b"tRNS", b"".join(struct.pack(">H", v) for v in key))

                    def samples(pixel):
                        if color == 3:
                            index = pixel[0]
                            alpha = alphas[index] / 255 if transparent and index < len(alphas) else 1
                            return [v / 255 * alpha for v in palette[index]]
                        colors = 1 if color in (0, 4) else 3
                        alpha = pixel[-1] / top if color in (4, 6) else 0 if transparent and pixel == key else 1
                        return [v / top * alpha for v in pixel[:colors]]

                    kind = "adam7" if interlaced else "plain"
                    name = f"color{color}-depth{depth}-{kind}{'-trns' if transparent else ''}"
                    data = encode(pixels, color, depth, interlaced, extra, rng)
                    (folder / "accepted" / f"{name}.png").write_bytes(data)
                    expected[name] = {
                        "channels": 1 if color in (0, 4) else 3,
                        "depth": depth,
                        "samples": [round(v, 7) for row in pixels for p in row for v in samples(p)],
                    }
    (folder / "expected.json").write_text(json.dumps(expected))
    good = (folder / "accepted" / "color0-depth8-plain.png").read_bytes()
    ihdr = good.index(b"IHDR") - 4
    idat = good.index(b"IDAT") - 4

    def header(*values):
        data = struct.pack(">IIBBBBB", *values)
        return good[:ihdr] + chunk(b"IHDR", data) + good[ihdr + 25 :]

    rejected = {
        "empty": b"",
        "text": b"this is no image",
        "jpeg": b"\xff\xd8\xff\xe0\x00\x10JFIF\0\1\1\0\0\1\0\1\0\0",
        "signature-only": good[:8],
        "cut-in-header": good[: ihdr + 12],
        "cut-in-data": good[: idat + 30],
        "no-end": good[:-12],
        "bad-checksum": good[: idat + 20] + bytes([good[idat + 20] ^ 1]) + good[idat + 21 :],
        "zero-width": header(0, HEIGHT, 8, 0, 0, 0, 0),
        "zero-height": header(WIDTH, 0, 8, 0, 0, 0, 0),
        "bad-depth": header(WIDTH, HEIGHT, 3, 0, 0, 0, 0),
        "bad-color": header(WIDTH, HEIGHT, 8, 5, 0, 0, 0),
        "bad-interlace": header(WIDTH, HEIGHT, 8, 0, 0, 0, 9),
        "no-palette": header(WIDTH, HEIGHT, 8, 3, 0, 0, 0),
        "too-little-data": header(WIDTH, HEIGHT * 20, 8, 0, 0, 0, 0),
        "negative-width": header(0xFFFFFFFF, HEIGHT, 8, 0, 0, 0, 0),
        "no-idat": good[:idat] + chunk(b"IEND", b""),
    }
    for name, data in rejected.items():
        (folder / "rejected" / f"{name}.png").write_bytes(data)
    (folder / "huge.png").write_bytes(header(50000, 50000, 8, 0, 0, 0, 0))


if __name__ == "__main__":
    main()
