#!/usr/bin/env python3
"""Scoring with `dia score`, compared with the throughput of the server itself, on loopback.

    client.py [--images 10000] [--rounds 7] [--round-images 500]     writes docs/results/client.md

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
SIDE = 28
CONNECTIONS = 32


def write_images(folder, count):
    """Writes `count` different images."""
    folder.mkdir(parents=True)
    generator = random.Random(7)
    for index in range(count):
        # Smooth, as images are; a value and two slopes make each one different.
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


def waiting_clients(folder, port, model):
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
            connection.request("POST", f"/v1/models/{model}/score", body, {"Content-Type": "image/png"})
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


def batches(folder, port, model):
    """Returns the seconds for all images of a folder in requests of the batch endpoint."""
    boundary, files = "bench", [path.read_bytes() for path in sorted(folder.iterdir())]
    start = time.monotonic()
    for first in range(0, len(files), 500):
        part = b'--bench\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
        body = b"".join(part + file + b"\r\n" for file in files[first : first + 500]) + b"--bench--\r\n"
        connection = http.client.HTTPConnection("127.0.0.1", port)
        fields = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        connection.request("POST", f"/v1/models/{model}/batch", body, fields)
        lines = connection.getresponse().read().splitlines()
        assert len(lines) == min(500, len(files) - first) and all("result" in json.loads(line) for line in lines)
    return time.monotonic() - start


def compare(model, rounds, count):
    """Returns the rates of the three senders in each round, in images per second, and the peak memory of `dia`."""
    rates = {"`dia score`": [], f"{CONNECTIONS} waiting clients": [], "batch endpoint": []}
    with dia_testing.Server("--timeout-seconds", "600", models=model) as server:
        memory = dia(WORK / "round", server.port, WORK / "warm.jsonl")[2]
        for turn in range(rounds):
            seconds = [
                dia(WORK / "round", server.port, WORK / f"round-{turn}.jsonl")[0],
                waiting_clients(WORK / "round", server.port, model.name),
                batches(WORK / "round", server.port, model.name),
            ]
            for own, value in zip(rates.values(), seconds):
                own.append(count / value)
            print({name: round(values[-1], 1) for name, values in rates.items()}, flush=True)
    return rates, memory


def whole(model, count):
    """Returns the seconds, processor seconds and peak memory of `dia` on all images; each must have one record."""
    out = WORK / "all.jsonl"
    with dia_testing.Server("--timeout-seconds", "600", models=model) as server:
        figures = dia(WORK / "all", server.port, out)
    lines = out.read_text().splitlines()
    assert len(lines) == count == len({json.loads(line)["path"] for line in lines}), len(lines)
    return figures


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=10_000, help="images of the run on all")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--round-images", type=int, default=500)
    pneumonia = dia_testing.MODELS / "pneumonia"
    parser.add_argument("--model", type=pathlib.Path, default=pneumonia, help="model of the rounds")
    parser.add_argument("--all-model", type=pathlib.Path, default=pneumonia, help="model of the run on all images")
    options = parser.parse_args()
    shutil.rmtree(WORK, ignore_errors=True)
    write_images(WORK / "round", options.round_images)
    write_images(WORK / "all", options.images)
    rates, small = compare(options.model, options.rounds, options.round_images)
    seconds, processor, memory = whole(options.all_model, options.images)
    ours, *others = rates
    lines = ["| sender | images per second, median | `dia score` / this, median of rounds |", "| --- | --- | --- |"]
    lines.append(f"| {ours} | {statistics.median(rates[ours]):.1f} | |")
    for name in others:
        ratio = statistics.median(a / b for a, b in zip(rates[ours], rates[name]))
        lines.append(f"| {name} | {statistics.median(rates[name]):.1f} | **{ratio:.3f}** |")
    text = (
        f"# Throughput of `dia score`\n\nWritten by `make bench-client`: the model {options.model.name}, PNG files of "
        f"{SIDE} x {SIDE} pixels, server and sender on the same {len(os.sched_getaffinity(0))} processors "
        f"({dia_testing.processor_name()}). Measured alternately in {options.rounds} rounds of {options.round_images} "
        "images, including the start of `dia`. `dia score` reads files and writes JSON lines with `--resume`; the others "
        "send from memory and write nothing.\n\n" + "\n".join(lines)
        + f"\n\n`dia score` on {options.images:,} files with the model {options.all_model.name}: {seconds:.0f} s, "
        f"{1000 * processor / options.images:.2f} ms of processor time per image, peak memory {memory / 1e6:.1f} MB (with "
        f"{options.round_images:,} files {small / 1e6:.1f} MB). Each file has exactly one record.\n"
    )
    (ROOT / "docs/results/client.md").write_text(text)
    print(text)
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
