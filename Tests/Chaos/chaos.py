#!/usr/bin/env python3
"""Chaos test: several minutes of the faults that occur during months of operation.

    chaos.py [--minutes 4]     writes docs/results/chaos.md; exits 1 if a check fails

First, the server is killed (SIGKILL) and restarted every few seconds under load. Then one server process runs with
disconnecting clients, thousands of half-open connections, invalid requests, a log on a full disk, models that are
replaced and corrupted under load, and a wall clock that jumps by days. Every response is compared with the known score
of its image. At the end, memory and the number of descriptors must not have grown.
"""

import argparse
import base64
import http.client
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

TOLERANCE = 1e-4


def png(seed):
    """A smooth random gray image of 32 x 32 pixels."""
    generator = random.Random(seed)
    corners = [generator.randrange(256) for _ in range(4)]
    pixels = bytes(
        int((corners[0] * (31 - x) * (31 - y) + corners[1] * x * (31 - y) + corners[2] * (31 - x) * y
             + corners[3] * x * y) / 961) for y in range(32) for x in range(32))
    return dia_testing.gray_png(32, 32, pixels)


class Server:
    """dia-server with a folder of models, on the same port after every restart."""

    def __init__(self, folder):
        self.folder, self.port, self.process = folder, 0, None
        library = ROOT / ".build/chaos/clock.so"
        library.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["clang", "-shared", "-fPIC", "-O1", "-o", library, ROOT / "Tests/Chaos/clock.c", "-ldl"], check=True)
        self.clock = folder / "clock"
        self.clock.write_text("0")
        self.environment = {**os.environ, "LD_PRELOAD": str(library), "CHAOS_CLOCK": str(self.clock)}

    def start(self, log=subprocess.DEVNULL):
        began = time.monotonic()
        server = dia_testing.Server(
            "--max-connections", "3000", "--max-connections-per-address", "3000", "--head-seconds", "3",
            "--idle-seconds", "10", "--queue", "64", models=self.folder / "models", port=self.port, log=log,
            environment=self.environment,
        )
        self.process, self.port = server.process, server.port
        return time.monotonic() - began

    def usage(self):
        """Resident memory in KiB and number of descriptors."""
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text()
        resident = int(status.split("VmRSS:")[1].split()[0])
        return resident, len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Counts:
    """Event counters, shared by all threads."""

    def __init__(self):
        self.lock, self.counts, self.failures = threading.Lock(), {}, []

    def add(self, name, number=1):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + number

    def failed(self, text):
        with self.lock:
            self.failures.append(text)


def score(connection, body, identifier):
    connection.request("POST", "/v1/score", body, {"Content-Type": "image/png", "X-Request-ID": identifier})
    response = connection.getresponse()
    return response.status, response.getheader("X-Request-ID"), response.read()


def scoring_client(server, images, known, count, stop, seed):
    """Scores images and compares every response with the known score of its image."""
    generator, connection, turn = random.Random(seed), None, 0
    while not stop.is_set():
        index, turn = generator.randrange(len(images)), turn + 1
        identifier = f"{seed}-{turn}"
        try:
            if connection is None:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            status, echoed, text = score(connection, images[index], identifier)
        except (OSError, http.client.HTTPException):
            # A broken connection is visible to the client, so it is not a failure.
            count.add("connections broken")
            connection = None
            time.sleep(0.05)
            continue
        if echoed != identifier:
            count.failed(f"the response to {identifier} has the ID {echoed}")
        if status == 200:
            normality = json.loads(text)["normality"]
            count.add("scores correct")
            if abs(normality - known[index]) > TOLERANCE:
                count.failed(f"image {index}: normality {normality}, expected {known[index]}")
        elif status == 503:
            count.add("rejected (503)")
            time.sleep(0.05)
        else:
            count.failed(f"status {status}: {text[:200]}")


def batch_client(server, images, known, count, stop, seed):
    """Posts batches, compares every line with the known score of its image, and sometimes disconnects early."""
    generator = random.Random(seed)
    while not stop.is_set():
        chosen = [generator.randrange(len(images)) for _ in range(generator.randrange(1, 40))]
        lines = [json.dumps({"id": f"{seed}-{i}", "image": base64.b64encode(images[i]).decode()}) for i in chosen]
        aborts = generator.random() < 0.2
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request("POST", "/v1/batch", "\n".join(lines), {"Content-Type": "application/x-ndjson"})
            response = connection.getresponse()
            if response.status != 200:
                text = response.read()
                if response.status != 503:
                    count.failed(f"batch status {response.status}: {text[:200]}")
                count.add("batches rejected (503)")
                time.sleep(0.05)
                continue
            # read() raises an error if the last chunk is missing, readline() does not.
            body = [response.readline()] if aborts else response.read().splitlines()
            for found, line in enumerate(body):
                if not line:
                    continue
                entry, index = json.loads(line), chosen[found]
                if (entry["index"], entry["id"]) != (found, f"{seed}-{index}"):
                    count.failed(f"line {found} of a batch has the ID {entry['id']}, expected image {index}")
                if "result" in entry and abs(entry["result"]["normality"] - known[index]) > TOLERANCE:
                    count.failed(f"image {index} in a batch: normality {entry['result']['normality']}, expected {known[index]}")
                if entry.get("error", {}).get("status", 503) != 503:
                    count.failed(f"a line of a batch has the error {entry['error']}")
                count.add("batch lines correct")
            if aborts:
                count.add("batches aborted by the client")
            elif len(body) != len(chosen):
                count.failed(f"a complete batch of {len(chosen)} images has {len(body)} lines")
            else:
                count.add("batches completed")
            connection.close()
        except (OSError, http.client.HTTPException):
            count.add("connections broken")
            time.sleep(0.05)


def disconnecting_client(server, images, count, stop, seed):
    """Sends part of a request or all of it and disconnects, sometimes with a TCP reset."""
    generator = random.Random(seed)
    while not stop.is_set():
        body = generator.choice(images)
        text = f"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(text[: generator.choice([1, 30, len(text) // 2, len(text)])])
                if generator.random() < 0.5:
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                time.sleep(generator.random() * 0.02)
            count.add("clients disconnected")
        except OSError:
            time.sleep(0.05)
        time.sleep(0.01)


def half_open_clients(server, count, stop, number):
    """Opens many connections, sends an incomplete request on each, and aborts them open until they are closed."""
    while not stop.is_set():
        held = []
        try:
            for _ in range(number):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                connection.sendall(b"GET / HT")
                held.append(connection)
        except OSError:
            pass
        count.add("half-open connections", len(held))
        stop.wait(5)
        for connection in held:
            connection.close()


def invalid_client(server, count, stop, seed):
    """Sends random bytes, and requests with one changed byte."""
    generator = random.Random(seed)
    good = b"POST /v1/score HTTP/1.1\r\nHost: a\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n"
    while not stop.is_set():
        data = bytearray(good if generator.random() < 0.7 else generator.randbytes(200))
        data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(bytes(data))
                connection.settimeout(0.2)
                connection.recv(1000)
            count.add("invalid requests answered or dropped")
        except OSError:
            pass
        time.sleep(0.02)


def model_replacer(server, count, stop):
    """Corrupts and restores the model, and reloads it with a signal and with POST after each change."""
    model, turn = server.folder / "models/phantom", 0
    while not stop.is_set():
        turn += 1
        path = model / ("encoder.safetensors" if turn % 2 else "model.json")
        whole = path.read_bytes()
        try:
            replacement = path.with_suffix(".new")
            replacement.write_bytes(whole[: len(whole) // 2])
            replacement.rename(path)
            try:
                connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
                connection.request("POST", "/v1/models/phantom/reload")
                status = connection.getresponse().status
                if status != 422:
                    count.failed(f"an invalid model was loaded: {status}")
                count.add("invalid models rejected")
            except (OSError, http.client.HTTPException):
                pass
            server.process.send_signal(signal.SIGHUP)
            stop.wait(0.5)
        finally:
            replacement.write_bytes(whole)
            replacement.rename(path)
        server.process.send_signal(signal.SIGHUP)
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
            connection.request("POST", "/v1/models/phantom/reload")
            if (status := connection.getresponse().status) == 200:
                count.add("models replaced")
            else:
                count.failed(f"a valid model was not loaded: {status}")
        except (OSError, http.client.HTTPException):
            pass
        stop.wait(2)


def clock_changer(server, count, stop, seed):
    """Makes the wall clock jump by minutes and days, forward and backward."""
    generator = random.Random(seed)
    while not stop.is_set():
        server.clock.write_text(str(generator.choice([-86_400 * 400, -3600, 0, 120, 86_400 * 30])))
        count.add("clock jumps")
        stop.wait(3)


def run(workers, seconds, during):
    """Runs `workers` (functions that take a stop event) for `seconds`, and calls `during` every second."""
    stop = threading.Event()
    threads = [threading.Thread(target=worker, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        left = end - time.monotonic()
        print(f"\r{max(0, left):4.0f} s left ", end="", file=sys.stderr, flush=True)
        during()
    stop.set()
    for thread in threads:
        thread.join()
    print(file=sys.stderr)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=4)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8192, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
    count = Counts()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        shutil.copytree(ROOT / "Models/phantom", folder / "models/phantom")
        server, images = Server(folder), [png(seed) for seed in range(24)]
        server.start()
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            known = [json.loads(score(connection, image, "reference")[2])["normality"] for image in images]
            starts, generator = [], random.Random(400)

            def kill_sometimes():
                if generator.random() < 0.3:
                    server.process.kill()
                    server.process.wait()
                    count.add("kills")
                    starts.append(server.start())

            clients = [lambda stop, n=n: scoring_client(server, images, known, count, stop, n) for n in range(6)]
            clients += [lambda stop, n=n: batch_client(server, images, known, count, stop, n) for n in (50, 51)]
            run(clients, 60 * options.minutes / 4, kill_sometimes)
            server.process.terminate()
            server.process.wait()
            # From here on there is one process, whose log goes to a disk that is always full.
            with open("/dev/full", "w") as full:
                server.start(log=full)
            usage = []
            others = [
                lambda stop: disconnecting_client(server, images, count, stop, 100),
                lambda stop: half_open_clients(server, count, stop, 1000),
                lambda stop: invalid_client(server, count, stop, 200),
                lambda stop: model_replacer(server, count, stop),
                lambda stop: clock_changer(server, count, stop, 300),
            ]
            run(clients + others, 60 * options.minutes * 3 / 4, lambda: usage.append(server.usage()))
            if server.process.poll() is not None:
                count.failed(f"the server exited: {server.process.returncode}")
            time.sleep(11)
            rest = server.usage()
            server.process.terminate()
            if server.process.wait(60) != 0:
                count.failed("the exit status after SIGTERM is not 0")
        finally:
            server.process.kill()
    # The third and the last quarter must agree to within 5%.
    half = usage[len(usage) // 2 :]
    earlier, later = half[: len(half) // 2], half[len(half) // 2 :]
    flat = {}
    for index, what in enumerate(["resident memory, KiB", "descriptors"]):
        before, after = (statistics.median(sample[index] for sample in part) for part in (earlier, later))
        flat[what] = (before, after)
        if after > 1.05 * before + (20 if index else 0):
            count.failed(f"{what} grew from {before} to {after}")
    if not count.counts.get("scores correct") or not count.counts.get("models replaced"):
        count.failed("no successful requests, so the test is not valid")
    lines = [f"| {name} | {number} |" for name, number in sorted(count.counts.items())]
    lines += [f"| time from start to ready after a kill, s | {statistics.median(starts):.2f} (median), {max(starts):.2f} (maximum) |"] if starts else []
    lines += [f"| {what}, third and last quarter | {before:.0f}, {after:.0f} |" for what, (before, after) in flat.items()]
    lines += [f"| after all clients disconnected | {rest[0]} KiB, {rest[1]} descriptors |", f"| **failed checks** | **{len(count.failures)}** |"]
    (ROOT / "docs/results/chaos.md").write_text(
        f"# Chaos test\n\nWritten by `make chaos`, {options.minutes:g} minutes. "
        + " ".join(__doc__.split("\n\n")[2].split()) + "\n\n| event | count |\n| --- | --- |\n" + "\n".join(lines) + "\n"
    )
    print("\n".join(lines))
    for text in count.failures[:20]:
        print(f"FAILED: {text}")
    sys.exit(1 if count.failures else 0)


if __name__ == "__main__":
    main()
