"""Writes archives with Python's zipfile and tarfile, Info-ZIP and GNU tar, for Tests/CodecsTests and
Tests/InferenceServiceTests.

expected.json has the name and the content (in hexadecimal) of each file of each archive, or part of the error, in order.
The fixtures are committed. To write them again (Debian: apt-get install zip):

    python3 Tests/Reference/make_archives.py Tests/CodecsTests/Archives
"""

import io
import json
import os
import pathlib
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib

TIME = (2026, 1, 2, 3, 4, 6)
LONG = "/".join(["folder with a long name"] * 7) + "/one.png"
ENCRYPTED = "encrypted"
STORED_LATE = "data descriptor"


def png(seed):
    """A gray PNG of 6 x 5 pixels."""
    rows = b"".join(b"\0" + bytes((seed * 40 + 8 * x + 30 * y) % 256 for x in range(6)) for y in range(5))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 6, 5, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


ONE, TWO = png(1), png(2)
TEXT = b"not an image, not an image, not an image\n" * 3
USUAL = [("one.png", ONE), ("folder/two.png", TWO), ("folder/notes.txt", TEXT), ("empty.png", b"")]


class Pipe(io.RawIOBase):
    """An output that cannot seek, so that sizes follow the contents."""

    def __init__(self):
        self.bytes = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.bytes += data
        return len(data)


def entry(name, method):
    info = zipfile.ZipInfo(name, TIME)
    info.compress_type = method
    return info


def python_zip(files, method, output=None, zip64=False):
    output = io.BytesIO() if output is None else output
    with zipfile.ZipFile(output, "w") as archive:
        for name, content in files:
            if name.endswith("/"):
                archive.writestr(entry(name, zipfile.ZIP_STORED), b"")
                continue
            with archive.open(entry(name, method), "w", force_zip64=zip64) as file:
                file.write(content)
    return bytes(output.bytes) if isinstance(output, Pipe) else output.getvalue()


def code_page_437():
    """Python always marks names that are not ASCII as UTF-8, so the names and the flags are replaced."""
    data = python_zip([("k_se.png", ONE)], zipfile.ZIP_STORED)
    return data.replace(b"k_se.png", b"k\x84se.png")


def python_tar(files, kind, **options):
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=kind, **options) as archive:
        for name, content in files:
            info = tarfile.TarInfo(name.rstrip("/"))
            info.mtime = 1767323046
            if name.endswith("/"):
                info.type = tarfile.DIRTYPE
            elif content is None:
                info.type, info.linkname = tarfile.SYMTYPE, "one.png"
            info.size = len(content or b"")
            archive.addfile(info, io.BytesIO(content or b""))
    # Without most of the padding at the end.
    data = output.getvalue()
    return data[: len(data.rstrip(b"\0")) // 512 * 512 + 1536]


def command(arguments, files, folder, **options):
    """Runs a program in a folder with `files` and returns its output."""
    for name, content in files:
        place = pathlib.Path(folder, name)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        os.utime(place, (1767323046, 1767323046))
    names = [name for name, _ in files]
    return subprocess.run(arguments + names, cwd=folder, stdout=subprocess.PIPE, check=True, **options).stdout


def info_zip(options, files):
    with tempfile.TemporaryDirectory() as folder:
        command(["zip", "-q", "-X", "archive.zip"] + options, files, folder)
        return pathlib.Path(folder, "archive.zip").read_bytes()


def info_zip_pipe(files):
    with tempfile.TemporaryDirectory() as folder:
        return command(["zip", "-q", "-X", "-"], files, folder)


def gnu_tar(options, files):
    with tempfile.TemporaryDirectory() as folder:
        owner = ["--owner=user:1000", "--group=user:1000"]
        return command(["tar", "--blocking-factor=1", *owner, *options, "-cf", "-"], files, folder)


def sparse_file(kind):
    with tempfile.TemporaryDirectory() as folder:
        place = pathlib.Path(folder, "sparse.bin")
        with place.open("wb") as file:
            for part in range(6):
                file.seek(part * 65536)
                file.write(b"x" * 512)
        return gnu_tar_of(folder, ["--sparse", f"--format={kind}"], ["sparse.bin"])


def gnu_tar_of(folder, options, names):
    arguments = ["tar", "--blocking-factor=1", "--owner=user:1000", "--group=user:1000", "--mtime=@1767323046"]
    return subprocess.run([*arguments, *options, "-cf", "-", *names], cwd=folder, stdout=subprocess.PIPE, check=True).stdout


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    expected = {}

    def save(name, data, files):
        (folder / name).write_bytes(data)
        expected[name] = [
            {"name": file, "content": content.hex()} if isinstance(content, bytes) else {"name": file, "error": content}
            for file, content in files
        ]

    stored, deflated = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
    with_folder = [("folder/", b"")] + USUAL
    save("python-stored.zip", python_zip(with_folder, stored), USUAL)
    save("python-deflated.zip", python_zip(with_folder, deflated), USUAL)
    save("python-zip64.zip", python_zip(USUAL, deflated, zip64=True), USUAL)
    save("python-pipe.zip", python_zip(USUAL, deflated, Pipe()), USUAL)
    save("python-pipe-zip64.zip", python_zip(USUAL, deflated, Pipe(), zip64=True), USUAL)
    save("python-pipe-stored.zip", python_zip(USUAL, stored, Pipe()), [("one.png", STORED_LATE)])
    save("python-bzip2.zip", python_zip(USUAL[:2], zipfile.ZIP_BZIP2), [(name, "method 12") for name, _ in USUAL[:2]])
    save("python-utf8.zip", python_zip([("Röntgen/käse.png", ONE)], deflated), [("Röntgen/käse.png", ONE)])
    save("code-page-437.zip", code_page_437(), [("käse.png", ONE)])
    save("empty.zip", python_zip([], stored), [])
    hidden = [(".hidden.png", ONE), ("__MACOSX/._one.png", TEXT), ("./seen.png", TWO)]
    save("hidden.zip", python_zip(hidden, deflated), hidden)
    save("info-zip.zip", info_zip([], USUAL), USUAL)
    save("info-zip-stored.zip", info_zip(["-0"], USUAL), USUAL)
    # Info-ZIP stores an empty file.
    save("info-zip-pipe.zip", info_zip_pipe(USUAL), [*USUAL[:3], ("empty.png", STORED_LATE)])
    save("info-zip-encrypted.zip", info_zip(["-P", "secret"], USUAL[:3]), [(name, ENCRYPTED) for name, _ in USUAL[:3]])

    unusual = [("folder/", b""), *USUAL[:2], ("link.png", None), *USUAL[2:]]
    for kind, name in ((tarfile.USTAR_FORMAT, "ustar"), (tarfile.GNU_FORMAT, "gnu"), (tarfile.PAX_FORMAT, "pax")):
        save(f"python-{name}.tar", python_tar(unusual, kind), USUAL)
    long = [(LONG, ONE), ("two.png", TWO)]
    save("python-gnu-long.tar", python_tar(long, tarfile.GNU_FORMAT), long)
    save("python-pax-long.tar", python_tar(long, tarfile.PAX_FORMAT), long)
    save("python-pax-utf8.tar", python_tar([("Röntgen/käse.png", ONE)], tarfile.PAX_FORMAT), [("Röntgen/käse.png", ONE)])
    headers = {"comment": "for all", "path": "the same.png"}
    both = [("the same.png", ONE), ("the same.png", TWO)]
    save("python-pax-global.tar", python_tar(USUAL[:2], tarfile.PAX_FORMAT, pax_headers=headers), both)
    for kind in ("v7", "ustar", "oldgnu", "gnu", "posix"):
        save(f"gnu-tar-{kind}.tar", gnu_tar([f"--format={kind}"], USUAL), USUAL)
    for kind in ("ustar", "gnu", "posix"):
        save(f"gnu-tar-{kind}-long.tar", gnu_tar([f"--format={kind}"], long), long)
    for kind in ("gnu", "posix"):
        save(f"gnu-tar-{kind}-sparse.tar", sparse_file(kind), [("sparse.bin", "holes")])
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
