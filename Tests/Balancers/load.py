"""Clients that score images through a balancer, and compare every score with that of a server without one."""

import base64
import http.client
import json
import pathlib
import random
import sys
import threading
import time
import zlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

SCORE, BATCH = "/v1/models/phantom/score", "/v1/models/phantom/batch"
# A different number of threads changes the last digits.
TOLERANCE = 1e-4
# More than the balancer and the server take together.
TIMEOUT_SECONDS = 90


def small_image(seed):
    """Returns a PNG file of a smooth random gray image."""
    generator = random.Random(seed)
    side = generator.choice([32, 64, 96])
    left, right, top, bottom = (generator.randrange(128) for _ in range(4))
    pixels = bytes(
        (left * (side - x) + right * x + top * (side - y) + bottom * y) // side for y in range(side) for x in range(side)
    )
    return dia_testing.gray_png(side, side, pixels)


def large_image(seed, side=4096):
    """Returns a PNG file of 16 MB, without compression."""
    generator = random.Random(seed)
    ramp = bytes(x * 255 // side for x in range(side))
    tables = [bytes(generator.randrange(256) for _ in range(256)) for _ in range(8)]
    rows = b"".join(b"\0" + ramp.translate(tables[y * len(tables) // side]) for y in range(side))
    data = dia_testing.png_chunk(b"IDAT", zlib.compress(rows, 0))
    return dia_testing.png_file(dia_testing.png_header(side, side, 8, 0), data)


def post(port, body, path=SCORE, headers=(), source="127.0.0.1", timeout=TIMEOUT_SECONDS):
    """Posts one request over a new connection and returns the response and its body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout, source_address=(source, 0))
    try:
        connection.request("POST", path, body, {"Content-Type": "image/png", **dict(headers)})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


class Images:
    """Images and their normality, as computed by the server on `port`."""

    def __init__(self, port):
        self.small = [small_image(seed) for seed in range(24)]
        self.large = [large_image(seed) for seed in range(4)]
        self.normality = {}
        for image in self.small + self.large:
            response, text = post(port, image)
            if response.status != 200:
                raise SystemExit(f"status {response.status} without a balancer: {text}")
            self.normality[image] = json.loads(text)["normality"]
        # Otherwise a response to another request could look right.
        values = sorted(self.normality.values())
        if min(later - earlier for earlier, later in zip(values, values[1:])) < 3 * TOLERANCE:
            raise SystemExit("two images have the same normality")


class Load:
    """Client threads, which run until the end of a `with` block."""

    def __init__(self, port, images, cluster):
        self.port, self.images, self.cluster = port, images, cluster
        self.lock, self.end = threading.Lock(), threading.Event()
        self.counts, self.failures, self.seconds = {}, [], []
        jobs = [(self.score, images.small, "small"), (self.score, images.small, "small"),
                (self.score, images.large, "of 16 MB"), (self.batches, images.small, "in batches")]
        self.threads = [
            threading.Thread(target=job, args=(chosen, name, random.Random(seed)))
            for seed, (job, chosen, name) in enumerate(jobs)
        ]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        for thread in self.threads:
            thread.join()

    def add(self, name, number=1):
        with self.lock:
            self.counts[name] = self.counts.get(name, 0) + number

    def fail(self, text):
        with self.lock:
            self.failures.append(text)

    def score(self, chosen, name, generator):
        """Scores images over one connection. Anything but the right score is a failure."""
        connection = None
        while not self.end.is_set():
            image, began, failed = generator.choice(chosen), time.monotonic(), len(self.failures)
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
                connection.request("POST", SCORE, image, {"Content-Type": "image/png"})
                response = connection.getresponse()
                text = response.read()
                if response.status != 200:
                    self.fail(f"{name}: status {response.status}: {text[:200]}")
                elif abs(json.loads(text)["normality"] - self.images.normality[image]) > TOLERANCE:
                    self.fail(f"{name}: the score is that of another image: {text[:200]}")
            except (OSError, http.client.HTTPException) as error:
                self.fail(f"{name}: {type(error).__name__} {error}")
                connection = None
            self.add(name)
            if len(self.failures) > failed:
                # As a client would, rather than count the same loss many times.
                self.end.wait(0.2)
            with self.lock:
                self.seconds.append(time.monotonic() - began)

    def batches(self, chosen, name, generator):
        """Sends batches, again after 503 with Retry-After. A batch may break off only when a server is killed or hangs."""
        while not self.end.is_set():
            images, began = generator.choices(chosen, k=4), time.monotonic()
            lines = "\n".join(json.dumps({"image": base64.b64encode(image).decode()}) for image in images)
            try:
                response, text = post(self.port, lines, BATCH, {"Content-Type": "application/x-ndjson"})
                if response.status == 503 and response.getheader("Retry-After"):
                    self.add("batches rejected")
                    self.end.wait(float(response.getheader("Retry-After")))
                    continue
                if response.status != 200:
                    raise http.client.HTTPException(f"status {response.status}: {text[:200]}")
                found = [json.loads(line) for line in text.splitlines()]
            except (OSError, http.client.HTTPException) as error:
                if not any(began <= end and start <= time.monotonic() for start, end in self.cluster.breaks):
                    self.fail(f"{name}: {type(error).__name__} {error}")
                self.add("batches broken off")
            else:
                if len(found) != len(images):
                    self.fail(f"{name}: {len(found)} lines for {len(images)} images")
                for line, image in zip(found, images):
                    if abs(line.get("result", {}).get("normality", 1e9) - self.images.normality[image]) > TOLERANCE:
                        self.fail(f"{name}: a line is wrong: {str(line)[:200]}")
                self.add(name, len(found))
            self.end.wait(1)
