#!/usr/bin/env python3
"""Writes Sources/Imaging/FontGlyphs.swift: the glyphs of printable ASCII in DejaVu Sans, antialiased.

Needs Pillow (PyPI) and the font (Debian: fonts-dejavu-core): make_font.py /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
"""

import base64
import pathlib
import sys

from PIL import Image, ImageDraw, ImageFont

SIZE = 32
OUTPUT = pathlib.Path(__file__).parent.parent / "Sources/Imaging/FontGlyphs.swift"
CHARACTERS = [chr(code) for code in range(0x20, 0x7F)]


def main():
    font = ImageFont.truetype(sys.argv[1], SIZE)
    ascent, descent = font.getmetrics()
    height = ascent + descent
    advances = [round(font.getlength(character)) for character in CHARACTERS]
    values = []
    for character, advance in zip(CHARACTERS, advances):
        glyph = Image.new("L", (advance, height))
        ImageDraw.Draw(glyph).text((0, 0), character, 255, font)
        # 16 levels.
        values += [round(value / 17) for value in glyph.tobytes()]
    # A run of equal values: the value in the upper half of a byte, the length less one in the lower.
    packed, start = bytearray(), 0
    while start < len(values):
        end = start
        while end < len(values) and end - start < 16 and values[end] == values[start]:
            end += 1
        packed.append(values[start] << 4 | end - start - 1)
        start = end
    text = base64.b64encode(packed).decode()
    lines = "\n".join("        " + text[start:start + 112] for start in range(0, len(text), 112))
    OUTPUT.write_text(f'''/// The glyphs of ``Font``, written by Tools/make_font.py: DejaVu Sans (Bitstream Vera Fonts license), {SIZE} pixels.
enum FontGlyphs {{
    /// Height of a line, and of every glyph.
    static let height = {height}
    /// Distance from the top of a line to the baseline.
    static let ascent = {ascent}
    /// Width of each glyph, from the space to the tilde (ASCII).
    static let advances = [
{chr(10).join("        " + ", ".join(map(str, advances[start:start + 24])) + "," for start in range(0, len(advances), 24))}
    ]
    /// The rows of all glyphs in turn, in runs of equal coverage, in base64: the upper half of a byte is the coverage in
    /// fifteenths, the lower half the length of the run less one.
    static let runs = """
{lines}
        """
}}
''')


main()
