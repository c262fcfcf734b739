"""Measures the time and memory that dia-server spends on images designed to exhaust resources.

    make bench-bombs     writes docs/results/image-limits.md
"""

import http.client
import os
import pathlib
import platform
import socket
import sys
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402
from dia_testing import png_chunk as chunk  # noqa: E402

GRAY, RGB, PALETTE, RGBA = 0, 2, 3, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, RGBA: 4}
MILLISECONDS, MEGABYTES = 100, 64


def png(width, height, color, depth, *chunks):
    return dia_testing.png_file(dia_testing.png_header(width, height, depth, color), *chunks)


def black(width, height, color, depth):
    """Returns the smallest IDAT of a black image: the same deflate block repeated."""
    row = 1 + (width * CHANNELS[color] * depth + 7) // 8
    packer = zlib.compressobj(9)
    block = bytes(1 << 20)
    packed = b"".join(packer.compress(block) for _ in range(row * height >> 20))
    return chunk(b"IDAT", packed + packer.compress(bytes(row * height & (1 << 20) - 1)) + packer.flush())


def small(*chunks):
    """Returns a valid 8 x 8 image with `chunks` before its pixel data."""
    return png(8, 8, GRAY, 8, *chunks, black(8, 8, GRAY, 8))


# Each bomb is a function. Its docstring is the description in the table. It returns the body of a request, or
# (body, headers) if it needs additional headers, for example for a compressed body.


def not_an_image():
    """30 MB of zeros, not an image: the cost of the upload alone"""
    return bytes(30_000_000)


def header_50000():
    """A header for 50,000 x 50,000 pixels"""
    return png(50_000, 50_000, GRAY, 8, chunk(b"IDAT", zlib.compress(b"")))


def long_row():
    """A single row of 25,000,000 pixels"""
    return png(25_000_000, 1, GRAY, 8, black(25_000_000, 1, GRAY, 8))


def long_column():
    """A single column of 25,000,000 pixels"""
    return png(1, 25_000_000, RGBA, 16, chunk(b"IDAT", zlib.compress(b"")))


def no_pixels():
    """A header for 5,000 x 5,000 pixels in 16-bit RGBA, without pixel data"""
    return png(5_000, 5_000, RGBA, 16, chunk(b"IDAT", zlib.compress(b"")))


def compressed_texts():
    """1,000 zTXt chunks of 7 MB each, in 7 MB"""
    return small(*[chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(7_000_000)))] * 1000)


def international_texts():
    """1,000 iTXt chunks of 7 MB each, in 7 MB"""
    return small(*[chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(7_000_000)))] * 1000)


def profiles():
    """1,000 iCCP chunks of 7 MB each, in 7 MB"""
    return small(*[chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(7_000_000)))] * 1000)


def huge_chunk():
    """One text chunk of 30 MB"""
    return small(chunk(b"tEXt", b"Comment\0" + bytes(30_000_000)))


def tiny_chunks():
    """2,500,000 empty text chunks"""
    return small(*[chunk(b"tEXt")] * 2_500_000)


def surplus_pixels():
    """7 MB of IDAT that decompress to 7 GB, for 64 pixels"""
    packer = zlib.compressobj(9)
    first = packer.compress(bytes(70_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush, a block does not depend on earlier data, so it can be repeated.
    again = packer.compress(bytes(70_000_000)) + packer.flush(zlib.Z_FULL_FLUSH)
    return png(8, 8, GRAY, 8, chunk(b"IDAT", first + again * 99))


def trailing():
    """30 MB of data after the end of the image"""
    return small() + bytes(30_000_000)


def many_idats():
    """2,500,000 empty IDAT chunks"""
    return png(8, 8, GRAY, 8, *[chunk(b"IDAT")] * 2_500_000, black(8, 8, GRAY, 8))


def bytewise_idats():
    """20,000 IDAT chunks of one byte"""
    packed = zlib.compress(bytes(65 * 307), 0)
    parts = [chunk(b"IDAT", packed[i : i + 1]) for i in range(20_000)]
    return png(64, 307, GRAY, 8, *parts, chunk(b"IDAT", packed[20_000:]))


def gzip_bomb():
    """A gzip body of 1 MB that decompresses to 1 GB"""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(1024)) + packer.flush(), {"Content-Encoding": "gzip"}


def gzip_of_surplus_pixels():
    """The 7 GB IDAT image in a gzip body"""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return packer.compress(surplus_pixels()) + packer.flush(), {"Content-Encoding": "gzip"}


def four_megabytes_of_profile():
    """A color profile of just under 4 MB, which is skipped"""
    return small(chunk(b"iCCP", b"profile\0\0" + bytes(4_190_000)))


def palette_25m():
    """25,000,000 palette pixels with two colors, from 3 KB"""
    return png(5_000, 5_000, PALETTE, 1, chunk(b"PLTE", bytes(6)), black(5_000, 5_000, PALETTE, 1))


def gray_25m():
    """25,000,000 8-bit gray pixels, from 24 KB"""
    return png(5_000, 5_000, GRAY, 8, black(5_000, 5_000, GRAY, 8))


def rgba_25m():
    """25,000,000 16-bit RGBA pixels, from 194 KB"""
    return png(5_000, 5_000, RGBA, 16, black(5_000, 5_000, RGBA, 16))


REJECTED = [
    not_an_image, header_50000, long_row, long_column, no_pixels, compressed_texts, international_texts, profiles, huge_chunk,
    tiny_chunks, many_idats, surplus_pixels, gzip_bomb, gzip_of_surplus_pixels,
]
ACCEPTED = [bytewise_idats, four_megabytes_of_profile, trailing]
# Images of the maximum size. The cost depends on the number of pixels, not on the size of the file.
LARGE = [palette_25m, gray_25m, rgba_25m]


class Server(dia_testing.Server):
    """A dia-server process with the model phantom as the default."""

    def __init__(self):
        super().__init__("--default-model", "phantom")

    def processor(self):
        """Returns the CPU time of all threads in milliseconds."""
        tasks = pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6

    def post(self, body, headers):
        """Returns the status, the response body, and the seconds since the first byte was sent."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        start = time.monotonic()
        connection.request("POST", "/v1/score", body, {"Content-Type": "image/png", **headers})
        response = connection.getresponse()
        text = response.read()
        return response.status, text, time.monotonic() - start


def once(body, headers):
    """Returns the status, the response time and CPU time in ms, and the peak memory above the idle server in MB."""
    with Server() as server:
        # Threads and buffers created by the first request must not be counted.
        assert server.post(small(), {})[0] == 200
        before = server.memory("VmRSS")
        server.clear_peak()
        ran = server.processor()
        status, _, seconds = server.post(body, headers)
        ran = server.processor() - ran
        peak = (server.memory("VmHWM") - before) / (1 << 20)
        assert server.post(small(), {})[0] == 200, "the server no longer works"
    return status, 1000 * seconds, ran, peak


def measure(bomb, statuses, rounds=5):
    """Returns a row of the table, and whether the image stays within the limits."""
    result = bomb()
    body, headers = result if isinstance(result, tuple) else (result, {})
    results = [once(body, headers) for _ in range(rounds)]
    assert all(result[0] in statuses for result in results), (bomb.__name__, results)
    # Other load on the machine can only increase the times, so take the minimum.
    response, ran = min(result[1] for result in results), min(result[2] for result in results)
    peak = max(0, *(result[3] for result in results))
    row = f"| {bomb.__doc__} | {len(body):,} | {results[0][0]} | {response:.0f} | {ran:.0f} | {peak:.0f} |"
    print(row, flush=True)
    return row, ran <= MILLISECONDS and peak <= MEGABYTES


def main():
    head = "| image | bytes sent | status | response time, ms | CPU time, ms | MB |\n" + "| --- " * 6 + "|\n"
    rejected = [measure(bomb, (400, 413)) for bomb in REJECTED]
    accepted = [measure(bomb, (200,)) for bomb in ACCEPTED]
    large = [measure(bomb, (200,)) for bomb in LARGE]

    def table(rows):
        return head + "\n".join(row for row, _ in rows) + "\n"

    (ROOT / "docs/results/image-limits.md").write_text(
        "# Image limits\n\nWritten by `make bench-bombs`: images designed to exhaust memory or CPU time. Each image is "
        "posted to `/v1/score` of a newly started dia-server, which must still respond afterward. The response time is "
        "measured from the first byte sent to the last byte received, on a machine with other load. The CPU time "
        "includes all threads of the server and reading the body. Both are the minimum of five runs. MB is the peak "
        "resident memory (`VmHWM`) above that of the idle server, including the body, the maximum of five runs. "
        f"{dia_testing.processor_name()}, {os.cpu_count()} processors, {platform.system()} {platform.release()}.\n\n"
        f"## Rejected\n\nThe limit is {MILLISECONDS} ms of CPU time and {MEGABYTES} MB.\n\n" + table(rejected)
        + "\nAn image can have up to 25,000,000 pixels (`--max-pixels`) and 32,768 pixels per side. All other data in "
        "the file than the compressed pixels, including chunk framing, can have up to 4 MB. More pixels than the "
        "header says are an error; data after the end of the image is not read. A body can have up to 32 MB (`--max-body-bytes`).\n\n"
        "## Unusual but valid\n\nAccepted, within the same limit.\n\n" + table(accepted)
        + "\n## Maximum size\n\nEvery pixel is decoded, row by row, and resized to the model's input size on the way, so the "
        "memory does not depend on the number of pixels. Images larger than 2,000,000 pixels never occupy all decoding "
        "threads.\n\n" + table(large)
    )
    if not all(within for _, within in rejected + accepted):
        sys.exit("a limit was exceeded")


if __name__ == "__main__":
    main()
