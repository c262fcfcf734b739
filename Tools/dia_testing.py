"""Used by the scripts in Tests and Benchmarks: starts dia-server, writes PNG files. Standard library only."""

import pathlib
import re
import struct
import subprocess
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
MODELS = ROOT / "Models"
EXECUTABLE = ROOT / ".build/release/dia-server"
SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Server:
    """A dia-server process on the loopback interface. It is ready when the constructor returns."""

    def __init__(self, *arguments, models=MODELS, port=0, executable=EXECUTABLE, log=subprocess.DEVNULL, environment=None):
        """Starts the server; port 0 selects a free port, and log None writes to this process's standard error."""
        command = [executable, "--models", models, "--port", port, *arguments]
        self.process = subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        )
        # The first line of standard output is written when the server is ready.
        match = re.search(r"https?://127\.0\.0\.1:(\d+)", self.process.stdout.readline())
        if not match:
            self.kill()
            raise SystemExit(f"{executable} did not start")
        self.port = int(match.group(1))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Stops the server with SIGTERM and returns its exit status."""
        self.process.terminate()
        status = self.process.wait(60)
        self.process.stdout.close()
        return status

    def kill(self):
        """Ends the server with SIGKILL."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def memory(self, name):
        """Returns a value of /proc/PID/status in bytes: VmRSS (current) or VmHWM (peak since the last clear_peak)."""
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE).group(1)) << 10

    def clear_peak(self):
        """Resets the peak memory."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def processor_name():
    """Returns the model name of the first processor."""
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def png_chunk(kind, data=b"", checksum=None):
    """Returns a chunk; by default with the correct checksum."""
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def png_header(width, height, depth, color, compression=0, filters=0, interlace=0):
    """Returns an IHDR chunk."""
    return png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, color, compression, filters, interlace))


def png_file(header, *chunks):
    """Returns a file of `header`, `chunks` and IEND."""
    return SIGNATURE + header + b"".join(chunks) + png_chunk(b"IEND")


def gray_png(width, height, pixels):
    """Returns a file of 8-bit gray `pixels`, row by row."""
    rows = b"".join(b"\0" + pixels[start : start + width] for start in range(0, width * height, width))
    return png_file(png_header(width, height, 8, 0), png_chunk(b"IDAT", zlib.compress(rows)))
