#!/usr/bin/env python3
"""Scoring with `dia score`, compared with the throughput of the server itself, on loopback.

    client.py [--images 10000] [--rounds 7]     writes docs/results/client.md

Measured alternately: `dia score` on a folder, clients that keep their connections open and wait for each response (as
many as `dia` uses, from memory), and the batch endpoint. Then `dia score` on all images. Standard library only.
"""

import argparse
import http.client
import json
import os
import pathlib
import random
import shutil
import statistics
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

EXECUTABLE = ROOT / ".build/release/dia"
WORK = ROOT / ".build/bench-client"
MODEL = "pneumonia"
SIDE = 28
CONNECTIONS = 32


def write_images(count, folders):
    """Writes `count` different images, divided over `folders` subfolders."""
    shutil.rmtree(WORK, ignore_errors=True)
    generator = random.Random(7)
    for index in range(count):
        folder = WORK / "images" / f"{index % folders:02}"
        folder.mkdir(parents=True, exist_ok=True)
        # Smooth, as images are; the values of two pixels and a slope make each one different.
        start, slope, step = generator.randrange(200), generator.random() * 2, generator.random() * 2
        pixels = bytes(min(255, int(start + slope * x + step * y)) for y in range(SIDE) for x in range(SIDE))
        (folder / f"{index:05}.png").write_bytes(dia_testing.gray_png(SIDE, SIDE, pixels))


def dia(folder, port, out):
    """Runs `dia score`; returns its seconds, processor seconds and peak memory in bytes."""
    start = time.monotonic()
    command = [EXECUTABLE, "score", folder, "--url", f"http://127.0.0.1:{port}", "--resume", out, "--quiet"]
    process = subprocess.Popen([str(part) for part in command])
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    assert status == 0, status
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10


def waiting_clients(folder, port):
    """Returns the seconds for all images of a folder, with clients that wait for each response."""
    bodies = [path.read_bytes() for path in sorted(folder.iterdir())]
    turn, lock = iter(bodies), threading.Lock()

    def client():
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with lock:
                body = next(turn, None)
            if body is None:
                return
            connection.request("POST", f"/v1/models/{MODEL}/score", body, {"Content-Type": "image/png"})
            response = connection.getresponse()
            text = response.read()
            assert response.status == 200, text

    threads = [threading.Thread(target=client) for _ in range(CONNECTIONS)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - start


def batches(folder, port):
    """Returns the seconds for all images of a folder in requests of the batch endpoint."""
    boundary, files = "bench", [path.read_bytes() for path in sorted(folder.iterdir())]
    start = time.monotonic()
    for first in range(0, len(files), 500):
        part = b'--bench\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        body = b"".join(part + file + b"\r\n" for file in files[first : first + 500]) + b"--bench--\r\n"
        connection = http.client.HTTPConnection("127.0.0.1", port)
        fields = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        connection.request("POST", f"/v1/models/{MODEL}/batch", body, fields)
        lines = connection.getresponse().read().splitlines()
        assert len(lines) == min(500, len(files) - first) and all("result" in json.loads(line) for line in lines)
    return time.monotonic() - start


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    folders = 20
    write_images(options.images, folders)
    rates = {"dia score": [], f"{CONNECTIONS} waiting clients": [], "batch endpoint": []}
    with dia_testing.Server("--default-model", MODEL, "--timeout-seconds", "600") as server:
        small = dia(WORK / "images/00", server.port, WORK / "warm.jsonl")[2]
        for turn in range(options.rounds):
            folder = WORK / f"images/{turn % folders:02}"
            count = len(list(folder.iterdir()))
            seconds = [
                dia(folder, server.port, WORK / f"round-{turn}.jsonl")[0],
                waiting_clients(folder, server.port),
                batches(folder, server.port),
            ]
            for name, value in zip(rates, seconds):
                rates[name].append(count / value)
            print({name: round(values[-1], 1) for name, values in rates.items()}, flush=True)
        out = WORK / "all.jsonl"
        seconds, processor, memory = dia(WORK / "images", server.port, out)
    scored = len({json.loads(line)["path"] for line in out.read_text().splitlines()})
    assert scored == options.images, scored
    ours, *others = rates
    lines = ["| sender | images per second, median | `dia score` / this, median of rounds |", "| --- | --- | --- |"]
    lines.append(f"| `{ours}` | {statistics.median(rates[ours]):.1f} | |")
    for name in others:
        ratio = statistics.median(a / b for a, b in zip(rates[ours], rates[name]))
        lines.append(f"| {name} | {statistics.median(rates[name]):.1f} | **{ratio:.3f}** |")
    text = (
        f"# Throughput of `dia score`\n\nWritten by `make bench-client`: the bundled {MODEL} model, PNG files of "
        f"{SIDE} x {SIDE} pixels, server and sender on the same {len(os.sched_getaffinity(0))} processors "
        f"({dia_testing.processor_name()}). Measured alternately in {options.rounds} rounds of "
        f"{options.images // folders} images. `dia score` reads files and writes JSON lines with `--resume`; the others "
        "send from memory and write nothing.\n\n" + "\n".join(lines)
        + f"\n\n`dia score` on {options.images:,} files: {seconds:.0f} s, {1000 * processor / options.images:.2f} ms of "
        f"processor time per image, peak memory {memory / 1e6:.1f} MB (with {options.images // folders:,} files "
        f"{small / 1e6:.1f} MB). Each file has exactly one record.\n"
    )
    (ROOT / "docs/results/client.md").write_text(text)
    print(text)
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
