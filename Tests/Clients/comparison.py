"""Images and expected results for the scripts of the clients. Uses NumPy, which all of them install."""

import json
import pathlib
import sys
import urllib.request
import zlib

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tools"))

import dia_testing  # noqa: E402

TOLERANCE = 1e-4
MODEL = "phantom"


def png(samples):
    """Returns a PNG file of the gray samples of an array, uint8 or uint16."""
    height, width = samples.shape
    depth = 8 * samples.dtype.itemsize
    rows = samples.astype(samples.dtype.newbyteorder(">"))
    data = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    return dia_testing.png_file(dia_testing.png_header(width, height, depth, 0), dia_testing.png_chunk(b"IDAT", data))


def images(dtype, count=3, height=50, width=41):
    """Returns `count` images of the whole range of a data type; the first one is smooth, the others are noise."""
    largest = 1 if dtype == numpy.float32 else numpy.iinfo(dtype).max
    generator = numpy.random.default_rng(0)
    y, x = numpy.mgrid[0:height, 0:width]
    smooth = numpy.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / 200)
    stack = numpy.stack([smooth] + [generator.random((height, width)) for _ in range(count - 1)])
    return (stack * largest).astype(dtype)


def files(stack):
    """Returns a PNG file for each image. Those of float32 have 16 bits: the images are rounded to them first."""
    if stack.dtype == numpy.float32:
        stack = numpy.round(stack.astype(numpy.float64) * 65535).astype(numpy.uint16)
    return [png(image) for image in stack]


class Comparison:
    """Compares the results of a client with those of /v1/score."""

    def __init__(self, url):
        self.url = url
        self.count = 0

    def expected(self, file, query=""):
        """Returns the response of /v1/score."""
        headers = {"Content-Type": "image/png"}
        request = urllib.request.Request(f"{self.url}/v1/models/{MODEL}/score{query}", file, headers)
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)

    def check(self, name, pngs, outputs, query=""):
        """Checks `outputs`, a function from the name of an output to its values, against the scores of `pngs`."""
        for index, file in enumerate(pngs):
            expected = self.expected(file, query)
            for output in ("normality", "score", "p_value"):
                found, wanted = outputs(output)[index], expected[output]
                if wanted is None:
                    assert found is None or numpy.isnan(found), f"{name}: {output} is {found}, expected none"
                else:
                    # The file has the nearest samples of 16 bits, which matters more the farther an image is from normal.
                    error = abs(float(found) - wanted) / max(1, abs(wanted))
                    assert error < TOLERANCE, f"{name}: {output} is {found}, expected {wanted}"
            typical = expected["input_check"]["typical"]
            assert bool(outputs("typical")[index]) == typical, f"{name}: typical"
            assert bool(outputs("anomalous")[index]) == bool(expected["anomalous"]), f"{name}: anomalous"
            verdict = outputs("verdict")[index]
            verdict = verdict.decode() if isinstance(verdict, bytes) else verdict
            assert verdict == expected["verdict"], f"{name}: verdict is {verdict}, expected {expected['verdict']}"
        self.count += 1
        print(f"  {name}: same as /v1/score")

    def finish(self, client):
        """Prints the summary."""
        print(f"{client}: {self.count} comparisons passed")


def examples():
    """Returns the example images of the repository, which are typical for the model."""
    folder = pathlib.Path(__file__).resolve().parents[2] / "examples"
    return [path.read_bytes() for path in sorted(folder.glob("*.png"))]
