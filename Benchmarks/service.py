"""Scoring over HTTP: dia-server and the peer server alternately, with the same clients on loopback.

    service.py [--seconds 14]     writes docs/results/service-benchmark.md
"""

import argparse
import http.client
import io
import json
import os
import pathlib
import random
import signal
import statistics
import subprocess
import sys
import threading
import time

from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

THREADS = len(os.sched_getaffinity(0))
WORK = ROOT / ".build/bench"
MODEL = ROOT / "Models/pneumonia"


def pictures(count):
    """Returns smooth random images of 28x28 pixels, as PNG files."""
    generator = random.Random(1)
    result = []
    for _ in range(count):
        small = Image.new("L", (5, 5))
        small.putdata([generator.randrange(256) for _ in range(25)])
        stream = io.BytesIO()
        small.resize((28, 28), Image.BICUBIC).save(stream, "PNG")
        result.append(stream.getvalue())
    return result


def ours():
    server = dia_testing.Server("--default-model", MODEL.name)
    return server.process, server.port


def peer():
    crops = WORK / "crops"
    crops.write_text(subprocess.check_output([ROOT / ".build/release/dia-bench", "views", "--model", MODEL], text=True))
    copy = WORK / "served"
    copy.mkdir(exist_ok=True)
    for path in MODEL.iterdir():
        if path.suffix in (".json", ".safetensors"):
            (copy / path.name).write_bytes(path.read_bytes())
    port = 18471
    process = subprocess.Popen(
        [sys.executable, ROOT / "Benchmarks/peer_server.py", copy, crops, str(port)], stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(300):
        try:
            http.client.HTTPConnection("127.0.0.1", port, timeout=1).connect()
            return process, port
        except OSError:
            time.sleep(0.2)
    raise SystemExit("the peer server did not start")


def score(connection, body):
    connection.request("POST", "/v1/score", body, {"Content-Type": "image/png"})
    response = connection.getresponse()
    text = response.read()
    assert response.status == 200, text
    return json.loads(text)["normality"]


def load(port, clients, seconds, bodies):
    """Returns the requests per second and all response times, with each client on its own connection."""
    times, stop = [], time.monotonic() + seconds
    lock = threading.Lock()

    def client(index):
        connection = http.client.HTTPConnection("127.0.0.1", port)
        own, turn = [], index
        while time.monotonic() < stop:
            start = time.monotonic()
            score(connection, bodies[turn % len(bodies)])
            own.append(time.monotonic() - start)
            turn += 1
        with lock:
            times.extend(own)

    threads = [threading.Thread(target=client, args=(index,)) for index in range(clients)]
    start = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times.sort()
    return len(times) / (time.monotonic() - start), times


def processor_seconds(process):
    """Returns the CPU time of each thread of a process, the busiest last (Linux)."""
    times = []
    for task in pathlib.Path(f"/proc/{process.pid}/task").iterdir():
        fields = (task / "stat").read_text().rsplit(")", 1)[1].split()
        times.append((int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"))
    return sorted(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=14, help="seconds of load per server, for each number of clients")
    options = parser.parse_args()
    bodies = pictures(32)
    sides = {"dia-server": ours(), "uvicorn + ONNX Runtime": peer()}
    try:
        values = {}
        for name, (_, port) in sides.items():
            connection = http.client.HTTPConnection("127.0.0.1", port)
            values[name] = [score(connection, body) for body in bodies]
        difference = max(abs(a - b) for a, b in zip(*values.values()))
        lines = [
            "| clients | images per second: DIA, peer | ratio | p50, ms: DIA, peer | p99, ms: DIA, peer |",
            "| --- | --- | --- | --- | --- |",
        ]
        outside = []
        for clients in (1, 4, 16, 64):
            rates, times = {name: [] for name in sides}, {name: [] for name in sides}
            for _ in range(7):
                for name, (process, port) in sides.items():
                    # The other server is stopped, so that its threads use no CPU time.
                    for other, _ in sides.values():
                        if other is not process:
                            other.send_signal(signal.SIGSTOP)
                    load(port, clients, 0.5, bodies)
                    before = processor_seconds(process)
                    rate, own = load(port, clients, options.seconds / 7, bodies)
                    after = processor_seconds(process)
                    for other, _ in sides.values():
                        other.send_signal(signal.SIGCONT)
                    if name == "dia-server" and clients == 16:
                        # The engine threads are the busiest.
                        engine = sum(after[-THREADS:]) - sum(before[-THREADS:])
                        outside.append(1 - engine / (sum(after) - sum(before)))
                    rates[name].append(rate)
                    times[name] += own
            rate = {name: statistics.median(value) for name, value in rates.items()}
            for value in times.values():
                value.sort()

            def point(name, share):
                return 1000 * times[name][min(len(times[name]) - 1, int(share * len(times[name])))]

            us, them = sides
            lines.append(
                f"| {clients} | {rate[us]:.1f}, {rate[them]:.1f} | **{rate[us] / rate[them]:.2f}** | "
                f"{point(us, .5):.1f}, {point(them, .5):.1f} | {point(us, .99):.1f}, {point(them, .99):.1f} |"
            )
            print(lines[-1], flush=True)
    finally:
        for process, _ in sides.values():
            process.send_signal(signal.SIGCONT)
            process.terminate()
            process.wait()
    text = (
        "# Scoring over HTTP\n\nWritten by `make bench`: `POST /v1/score` with the bundled pneumonia model (16 crops of "
        "4 rotations, 64 views per image), PNG in, JSON out, on loopback. The peer is uvicorn with ONNX Runtime, with the "
        "same views and batches of up to 16 images. The servers are measured alternately (A B A B); the clients run on "
        f"the same processors. Largest difference in normality between the two: {difference:.1e}.\n\n" + "\n".join(lines)
        + f"\n\nCPU time of dia-server outside the engine threads, with 16 clients: {100 * statistics.median(outside):.1f}%.\n"
    )
    (ROOT / "docs/results/service-benchmark.md").write_text(text)
    print(f"largest difference in normality {difference:.1e}")


if __name__ == "__main__":
    main()
