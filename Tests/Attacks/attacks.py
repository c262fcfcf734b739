#!/usr/bin/env python3
"""Attacks a running dia-server and measures its memory and the latency of other clients.

    attacks.py [--seconds 8] [--only NAME ...] [--report FILE] [--server PATH] [--models DIR] [--model NAME]

Starts dia-server on the loopback interface with default options, under a memory limit if control groups are writable,
and runs one attack after another. During each attack, clients request /livez and upload a small image. The test fails
if the server exits, if its memory exceeds the documented formula (docs/operations.md, "Sizing"), if any /livez request
takes 100 ms or more, if the 99th percentile of /livez is 50 ms or more, or if a normal upload is rejected. Uses only the
standard library.
"""
import argparse
import base64
import gzip
import http.client
import multiprocessing
import os
import pathlib
import random
import socket
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

MEGABYTE = 1 << 20
# The formula: memory of the process when ready, --max-held-bytes, CONNECTION for each connection, and FIXED.
HELD = 512 * MEGABYTE
CONNECTION = 128 << 10
FIXED = 64 * MEGABYTE
CONNECTIONS = 1024


def square(side):
    """Returns a gray image of `side` x `side` pixels."""
    return dia_testing.gray_png(side, side, bytes([90]) * side**2)


SMALL, LARGE = square(32), square(5000)


class Server(dia_testing.Server):
    """A server process, in a control group with a memory limit if possible."""

    def __init__(self, executable, models, model):
        super().__init__("--log-level", "error", models=models, executable=executable, log=None)
        self.base = f"/v1/models/{model}"
        self.infer = f"/v2/models/{model}/infer"
        self.ready = self.memory("VmRSS")
        self.limit_bytes = self.ready + HELD + CONNECTIONS * CONNECTION + FIXED
        self.group = self.apply_limit()

    def apply_limit(self):
        """Applies the limit of the formula to the process. Returns the control group folder, or None if not permitted."""
        for parent, file in (("/sys/fs/cgroup/memory", "memory.limit_in_bytes"), ("/sys/fs/cgroup", "memory.max")):
            folder = pathlib.Path(parent) / f"dia-attacks-{os.getpid()}"
            try:
                if not pathlib.Path(parent, "cgroup.procs").exists():
                    continue
                folder.mkdir()
                (folder / file).write_text(str(self.limit_bytes))
                (folder / "cgroup.procs").write_text(str(self.process.pid))
                return folder
            except OSError:
                try:
                    folder.rmdir()
                except OSError:
                    pass
        return None

    def stop(self):
        """Stops the server and returns its exit status."""
        status = super().stop()
        if self.group:
            self.group.rmdir()
        return status

    # Requests

    def connect(self, buffer=None):
        connection = socket.socket()
        if buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        connection.settimeout(60)
        connection.connect(("127.0.0.1", self.port))
        return connection

    def head(self, path, kind, length, more=""):
        text = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n"
        return text.encode()

    def post(self, path, kind, body, more=""):
        """Returns the status of a request, or None if the connection broke."""
        try:
            with self.connect() as connection:
                connection.sendall(self.head(path, kind, len(body), more + "Connection: close\r\n"))
                connection.sendall(body)
                return int(connection.recv(65536).split()[1])
        except (OSError, IndexError):
            return None


def parallel(count, work):
    threads = [threading.Thread(target=work, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


# The attacks: each runs for about `seconds`.


def pipeline(server, seconds):
    """Thousands of pipelined requests with invalid heads, behind a slow request."""
    line = b'{"id":1,"image":"' + base64.b64encode(SMALL) + b'"}\n'
    end = time.time() + seconds
    while time.time() < end:
        with server.connect() as connection:
            threading.Thread(target=drain, args=(connection,), daemon=True).start()
            body = line * 50
            try:
                connection.sendall(server.head(server.base + "/batch", "application/x-ndjson", len(body)) + body)
                connection.sendall(b"PUT / HTTP/1.1\r\nHost:\r\n\r\n" * 40_000)
                time.sleep(1)
            except OSError:
                pass


def drain(connection):
    try:
        while connection.recv(1 << 20):
            pass
    except OSError:
        pass


def announced(server, seconds):
    """900 connections announce 32 MiB each and send nothing, or all but the last byte."""
    kept = []
    for index in range(900):
        try:
            connection = server.connect()
            connection.sendall(server.head(server.base + "/score", "image/png", 32 << 20))
            if index % 30 == 0:
                connection.settimeout(1)
                connection.sendall(bytes((32 << 20) - 1))
        except OSError:
            pass
        kept.append(connection)
    time.sleep(seconds)
    for connection in kept:
        connection.close()


def ndjson(server, seconds):
    """Batches of 32 MB of empty lines or short lines, uncompressed and as 3.4 MB of gzip."""
    empty, short = b"\n" * (32 << 20), b"x\n" * (16 << 20)
    noise = random.Random(1).randbytes(3_400_000)
    packed = gzip.compress(b"\n" * 28_000_000, 1) + gzip.compress(noise, 0)
    end = time.time() + seconds
    while time.time() < end:
        for body, more in ((empty, ""), (short, ""), (packed, "Content-Encoding: gzip\r\n")):
            server.post(server.base + "/batch", "application/x-ndjson", body, more)


def infer(server, seconds):
    """Open Inference requests of up to 32 MB: long shapes, millions of empty strings, many outputs, an array as ID."""
    start = b'{"inputs":[{"name":"image","datatype":"BYTES","shape":['
    bodies = [
        start + b"1," * 15_000_000 + b"1]}]}",
        start + b'1],"data":[' + b'"",' * 10_000_000 + b'""]}]}',
        b'{"outputs":[' + b'{"name":"a"},' * 2_000_000 + b'{"name":"a"}]}',
        b'{"id":[' + b"1," * 15_000_000 + b"1]}",
        b'{"x":[' + b"[]," * 10_000_000 + b"1]}",
        b"[" * 30_000_000,
    ]
    end = time.time() + seconds
    while time.time() < end:
        parallel(len(bodies), lambda index: server.post(server.infer, "application/json", bodies[index]))


def decode(server, seconds):
    """60 concurrent images of 25 megapixels; half of the clients disconnect immediately."""

    def one(index):
        end = time.time() + seconds
        while time.time() < end:
            if index % 2:
                server.post(server.base + "/score", "image/png", LARGE)
                continue
            with server.connect() as connection:
                connection.sendall(server.head(server.base + "/score", "image/png", len(LARGE)) + LARGE)
                time.sleep(0.05)

    parallel(60, one)


def pictures(server, seconds):
    """Eight concurrent heat maps and strips of 25 megapixels; some responses are read slowly."""
    strip = square(2800)

    def one(index):
        end = time.time() + seconds
        while time.time() < end:
            path, body = [
                ("/heatmap?t=200", LARGE), ("/dissolve?t=50,100", strip), ("/heatmap?t=200&overlay=false", LARGE),
                ("/dissolve?t=200", LARGE),
            ][index % 4]
            if index < 4:
                server.post(server.base + path, "image/png", body)
                continue
            with server.connect(buffer=4096) as connection:
                connection.sendall(server.head(server.base + path, "image/png", len(body)) + body)
                time.sleep(max(0, min(3, end - time.time())))

    parallel(8, one)


def members(server, seconds):
    """gzip bodies with 400,000 empty members, and bodies that decompress to the maximum size."""
    many = gzip.compress(b"") * 400_000
    bomb = gzip.compress(bytes(32 << 20))
    padded = bomb + gzip.compress(random.Random(2).randbytes(3_300_000), 0)
    end = time.time() + seconds
    while time.time() < end:
        for body in (many, bomb, padded):
            server.post(server.base + "/score", "image/png", body, "Content-Encoding: gzip\r\n")


def connections(server, seconds):
    """A thousand connections that slowly send a head, small chunks, or stray line ends."""
    kept = []
    for index in range(1000):
        try:
            kept.append(server.connect())
        except OSError:
            break
    end, step = time.time() + seconds, 0
    chunked = f"POST {server.base}/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"
    texts = [b"GET / HTTP/1.1\r\nX: " + b"a" * 1000, b"\r\n" * 1000, chunked.encode() + b"1;a=b\r\nx\r\n" * 1000]
    while time.time() < end:
        for index, connection in enumerate(kept):
            text = texts[index % 3]
            place = step * 20 % len(text)
            try:
                connection.send(text[place:place + 20], socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)
            except OSError:
                pass
        step += 1
        time.sleep(0.02)
    for connection in kept:
        connection.close()


def overload(server, seconds):
    """64 clients that upload images continuously."""
    end = time.time() + seconds

    def one(_):
        while time.time() < end:
            if server.post(server.base + "/score", "image/png", SMALL) == 503:
                time.sleep(0.05)

    parallel(64, one)


ATTACKS = [pipeline, announced, ndjson, infer, decode, pictures, members, connections, overload]


class Probe:
    """A client that repeats a request and records each response time."""

    def __init__(self, request):
        self.request, self.times, self.statuses = request, [], {}
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.done.is_set():
            start = time.perf_counter()
            try:
                status = self.request()
            except (OSError, IndexError, http.client.HTTPException) as error:
                status = type(error).__name__
            self.times.append(time.perf_counter() - start)
            self.statuses[status] = self.statuses.get(status, 0) + 1
            time.sleep(0.02)

    def end(self):
        self.done.set()
        self.thread.join(90)

    def quantile(self, share):
        return sorted(self.times)[min(len(self.times) - 1, int(share * len(self.times)))]


def probes(server):
    def health():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        connection.request("GET", "/livez")
        status = connection.getresponse().status
        connection.close()
        return status

    def upload():
        with server.connect() as connection:
            connection.sendall(server.head(server.base + "/score", "image/png", len(SMALL)))
            time.sleep(0.02)
            connection.sendall(SMALL)
            return int(connection.recv(65536).split()[1])

    return Probe(health), Probe(upload)


def run(server, attack, seconds, check_latency):
    """Returns one row of the table, and the failed checks."""
    server.clear_peak()
    health, upload = probes(server)
    time.sleep(0.5)
    # The attacker runs in a separate process, so that the probes do not wait for its interpreter lock.
    attacker = multiprocessing.Process(target=attack, args=(server, seconds))
    attacker.start()
    attacker.join()
    health.end()
    upload.end()
    peak = server.memory("VmHWM")
    failures = []
    # Under overload, uploads may be rejected with 503.
    allowed = {200, 503} if attack is overload else {200}
    if server.process.poll() is not None:
        failures.append(f"the server exited with status {server.process.poll()}")
    if set(health.statuses) != {200}:
        failures.append(f"/livez: {health.statuses}")
    if not set(upload.statuses) <= allowed:
        failures.append(f"uploads: {upload.statuses}")
    # On a busy machine, latencies are not meaningful. But no client may starve on any machine.
    if max(health.times + upload.times) >= 10:
        failures.append(f"other clients waited {max(health.times + upload.times):.0f} s")
    if check_latency and (max(health.times) >= 0.1 or health.quantile(0.99) >= 0.05):
        failures.append(f"/livez took {max(health.times) * 1000:.0f} ms")
    if peak > server.limit_bytes:
        failures.append(f"memory {peak >> 20} MB, limit by the formula {server.limit_bytes >> 20} MB")
    row = (
        f"| {attack.__name__} | {attack.__doc__.rstrip('.')} | {peak >> 20} | {health.quantile(0.99) * 1000:.0f} "
        f"| {max(health.times) * 1000:.0f} | {upload.quantile(0.99) * 1000:.0f} | {max(upload.times) * 1000:.0f} |"
    )
    print(row, flush=True)
    for failure in failures:
        print(f"  FAILED: {failure}", flush=True)
    return row, failures


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=8)
    options.add_argument("--only", nargs="*")
    options.add_argument("--correctness", action="store_true", help="do not check latencies")
    options.add_argument("--report")
    options.add_argument("--server", default=dia_testing.EXECUTABLE)
    options.add_argument("--models", default=dia_testing.MODELS)
    options.add_argument("--model", default="pneumonia")
    arguments = options.parse_args()
    server = Server(arguments.server, arguments.models, arguments.model)
    limited = "under a memory limit of that size (control group)" if server.group else "without a memory limit"
    note = f"Memory when ready: {server.ready >> 20} MB; limit by the formula: {server.limit_bytes >> 20} MB; run {limited}."
    print(note, flush=True)
    rows, failures = [], []
    for attack in ATTACKS:
        if arguments.only and attack.__name__ not in arguments.only:
            continue
        row, failed = run(server, attack, arguments.seconds, not arguments.correctness)
        rows.append(row)
        failures += failed
        if server.process.poll() is not None:
            break
        time.sleep(1)
    status = server.stop() if server.process.poll() is None else server.process.poll()
    if status != 0:
        failures.append(f"exit status {status}")
    if arguments.report and not failures:
        text = "# Attacks\n\nWritten by `make attacks`. It checks that the server does not exit; that /livez takes less than "
        text += "100 ms, and less than 50 ms\nat the 99th percentile; that a normal upload of a small image returns 200 "
        text += "(503 is allowed under overload); and that memory\nstays below the limit given by the formula in "
        text += f"[operations](../operations.md#sizing).\n\n{dia_testing.processor_name()}, {os.cpu_count()} processors, default options, "
        text += f"{arguments.seconds:g} s each. {note}\n\n"
        text += "| attack | description | peak MB | /livez p99 ms | /livez worst ms | upload p99 ms | upload worst ms |\n"
        text += "| --- | --- | --- | --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
        pathlib.Path(arguments.report).write_text(text)
    print("ok" if not failures else f"{len(failures)} checks failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
