#!/usr/bin/env python3
"""Sends one batch with many images and checks that each has its own result (docs/results/large-batch.md).

By a client that sends the whole body before it reads (http.client), and by one that reads while it sends (curl).
"""

import argparse
import base64
import http.client
import io
import json
import pathlib
import random
import subprocess
import sys
import tarfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

# A small model, so that what is measured is the path of the images and not the networks.
MODELS = ROOT / "Tests/TestSupport/Models"


def image(index):
    """Returns the PNG with a number: its pixels depend on it."""
    return dia_testing.gray_png(32, 32, random.Random(index % 97).randbytes(1024))


IMAGES = [image(index) for index in range(97)]


def lines(count):
    for index in range(count):
        yield json.dumps({"id": index, "image": base64.b64encode(IMAGES[index % 97]).decode()}).encode() + b"\n"


def send_then_read(server, query, count):
    """Returns the lines of the response to a body that is sent before they are read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    headers = {"Content-Type": "application/x-ndjson", "Transfer-Encoding": "chunked"}
    connection.request("POST", f"/v1/models/gray-pad/batch{query}", lines(count), headers, encode_chunked=True)
    response = connection.getresponse()
    assert response.status == 200, response.status
    for line in response:
        yield json.loads(line)


def send_and_read(server, query, count):
    """Returns the lines of the response to a tar archive that curl reads from a pipe."""
    url = f"http://127.0.0.1:{server.port}/v1/models/gray-pad/batch{query}"
    command = ["curl", "--silent", "--show-error", "--fail", "--no-buffer", "--upload-file", "-", "--request", "POST"]
    command += ["--header", "Content-Type: application/x-tar", "--header", "Expect:", url]
    writer = subprocess.Popen([sys.executable, __file__, "--write-tar", str(count)], stdout=subprocess.PIPE)
    curl = subprocess.Popen(command, stdin=writer.stdout, stdout=subprocess.PIPE)
    for line in curl.stdout:
        yield json.loads(line)
    assert curl.wait() == 0 and writer.wait() == 0


def write_tar(count):
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for index in range(count):
            entry = tarfile.TarInfo(f"{index}.png")
            entry.size = len(IMAGES[index % 97])
            archive.addfile(entry, io.BytesIO(IMAGES[index % 97]))


def measure(name, client, query, count):
    with dia_testing.Server(models=MODELS) as server:
        expected = {}
        for index in range(97):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("POST", "/v1/models/gray-pad/score", IMAGES[index], {"Content-Type": "image/png"})
            expected[index] = json.loads(connection.getresponse().read())["normality"]
        server.clear_peak()
        ready = server.memory("VmRSS")
        start = time.monotonic()
        found = 0
        for index, line in enumerate(client(server, query, count)):
            assert line["index"] == index, line
            assert line.get("id", index) == index and line.get("filename", f"{index}.png") == f"{index}.png", line
            assert abs(line["result"]["normality"] - expected[index % 97]) < 1e-4, line
            found += 1
        seconds = time.monotonic() - start
        assert found == count, found
        peak = server.memory("VmHWM")
    print(f"| {name} | {count:,} | {seconds:.0f} s | {count / seconds:.0f} | {ready / 1e6:.0f} MB | {peak / 1e6:.0f} MB |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=100_000, help="number of images in one batch")
    parser.add_argument("--write-tar", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write_tar is not None:
        return write_tar(options.write_tar)
    print("| client | images | time | images/s | memory before | peak memory |")
    print("| --- | --- | --- | --- | --- | --- |")
    measure("curl, a tar archive from a pipe", send_and_read, "", options.images)
    measure("http.client, NDJSON, reads after it has sent all", send_then_read, "", options.images)
    measure("the same with `?fields=normality`", send_then_read, "?fields=normality", options.images)


if __name__ == "__main__":
    main()
