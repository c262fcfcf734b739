#!/usr/bin/env python3
"""Writes small PNG files and the SHA-256 of their samples, for Tests/InferenceServiceTests/ProvenanceTests.swift.

It uses no PNG library: the samples are known before they are encoded.
"""
import base64
import hashlib
import struct
import zlib

WIDTH, HEIGHT = 9, 5
PASSES = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(values, depth):
    if depth == 16:
        return b"".join(struct.pack(">H", value) for value in values)
    bits = "".join(format(value, f"0{depth}b") for value in values)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[place:place + 8], 2) for place in range(0, len(bits), 8))


def encode(pixels, depth, color, interlaced=False, chunks=b""):
    """pixels: rows of tuples of samples."""
    rows = []
    for left, top, across, down in PASSES if interlaced else [(0, 0, 1, 1)]:
        for row in pixels[top::down]:
            part = row[left::across]
            if part:
                rows.append(b"\0" + pack([sample for pixel in part for sample in pixel], depth))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, depth, color, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks
            + chunk(b"IDAT", zlib.compress(b"".join(rows), 9)) + chunk(b"IEND", b""))


def image(channels, largest):
    return [[tuple((x * 31 + y * 17 + c * 59) * 251 % (largest + 1) for c in range(channels)) for x in range(WIDTH)]
            for y in range(HEIGHT)]


def digest(pixels, size):
    data = b"".join(sample.to_bytes(size, "big") for row in pixels for pixel in row for sample in pixel)
    return hashlib.sha256(data).hexdigest()


def line(name, file, pixels, size):
    text = base64.b64encode(file).decode()
    lines = [name, digest(pixels, size)] + [text[place:place + 100] for place in range(0, len(text), 100)]
    print('        """')
    for part in lines:
        print("        " + part)
    print('        """,')


for name, channels, color in [("gray", 1, 0), ("gray-alpha", 2, 4), ("rgb", 3, 2), ("rgb-alpha", 4, 6)]:
    for depth in (8, 16):
        for interlaced in (False, True):
            pixels = image(channels, 2**depth - 1)
            title = f"{name} {depth}{' interlaced' if interlaced else ''}"
            line(title, encode(pixels, depth, color, interlaced), pixels, depth // 8)
small = image(1, 3)
line("gray 2", encode(small, 2, 0), [[(pixel[0] * 85,) for pixel in row] for row in small], 1)
colors = [(7, 80, 200), (255, 0, 1), (33, 44, 55), (90, 90, 250)]
palette = chunk(b"PLTE", bytes(sample for color in colors for sample in color))
line("palette", encode(small, 2, 3, True, palette), [[colors[pixel[0]] for pixel in row] for row in small], 1)
alphas = [0, 128, 255, 255]
transparent = [[colors[pixel[0]] + (alphas[pixel[0]],) for pixel in row] for row in small]
line("palette with alpha", encode(small, 2, 3, False, palette + chunk(b"tRNS", bytes(alphas[:2]))), transparent, 1)
