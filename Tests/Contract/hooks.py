"""Hooks for schemathesis: bodies and parameters that depend on each other, which JSON Schema cannot express."""

import base64
import json
import math
import pathlib
import struct
import sys
import urllib.parse
import zlib

import jsonschema_rs
import schemathesis
from hypothesis import strategies

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tools"))

import dia_testing  # noqa: E402

LINES = ("application/x-ndjson", "application/ndjson", "application/jsonl")
STEPS = 1000
FIELDS = ("score", "verdict,image.width", "id,filename,index,version,input_p_value", "provenance.seed, threshold")


def png(width, height, samples):
    """Returns a PNG file of 16 bits, of which at most 9 are used, so that it is valid with all values of `bits`."""
    rows = b"".join(
        b"\0" + struct.pack(f">{width}H", *samples[start : start + width]) for start in range(0, len(samples), width)
    )
    header = dia_testing.png_header(width, height, 16, 0)
    return dia_testing.png_file(header, dia_testing.png_chunk(b"IDAT", zlib.compress(rows)))


SIZES = ((1, 1), (2, 3), (28, 28), (41, 17), (1, 60))
FILES = [png(width, height, [7 * place % 512 for place in range(width * height)]) for width, height in SIZES]
FILE = FILES[2]
schemathesis.openapi.format("binary", strategies.sampled_from(FILES))
schemathesis.openapi.media_type("image/png", strategies.sampled_from(FILES))


@schemathesis.serializer(*LINES)
def write_lines(context, value):
    """Writes an object as two lines, and other values as one."""
    line = json.dumps(value).encode()
    return {"data": line + b"\n" + line if isinstance(value, dict) else line}


@schemathesis.deserializer("application/x-ndjson")
def read_first_line(context, response):
    """Returns the first line, whose schema is documented; `every_line` checks all of them."""
    return json.loads(response.content.split(b"\n")[0])


@schemathesis.check
def every_line(context, response, case):
    """Each line of a batch response has the documented schema, and is there once for each image."""
    if "application/x-ndjson" not in response.headers.get("content-type", [""])[0]:
        return
    path = urllib.parse.quote(case.operation.path.replace("/", "~1"), safe="~")
    pointer = f"#/paths/{path}/post/responses/200/content/application~1x-ndjson/schema"
    validator = jsonschema_rs.Draft202012Validator({**case.operation.schema.raw_schema, "$ref": pointer})
    lines = [json.loads(line) for line in response.content.splitlines()]
    for line in lines:
        validator.validate(line)
    # A batch that timed out has one last line for the images that were not begun.
    if lines and "not_done" in lines[-1]:
        assert lines.pop()["first_index"] == len(lines)
    assert [line["index"] for line in lines] == list(range(len(lines)))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Changes a request that is valid for the schemas to one whose parts fit together."""
    if case.meta is None or case.meta.generation.mode.is_negative:
        return
    headers, query = case.headers, case.query
    if "X-Request-Timeout" in headers:
        headers["X-Request-Timeout"] = "60"
    if not ("window_center" in query and "window_width" in query):
        query.pop("window_center", None)
        query.pop("window_width", None)
    if "fields" in query:
        query["fields"] = FIELDS[len(str(query["fields"])) % len(FIELDS)]
    if "t" in query:
        steps = [str(int(step) % STEPS) for step in str(query["t"]).split(",")]
        query["t"] = ",".join(steps)
    # The bundled model has no map of its score.
    query.pop("of", None) if query.get("of") == "score" else None
    if case.media_type in LINES and isinstance(case.body, dict):
        case.body = {**case.body, "image": base64.b64encode(FILE).decode()}
    if case.path.endswith("/infer"):
        tensors(case)


def tensors(case):
    """Gives the input of an inference request data that fits its shape."""
    if case.media_type == "application/json":
        case.headers.pop("Inference-Header-Content-Length", None)
        request = case.body
    else:
        request = {"inputs": [{"name": "image", "datatype": "UINT16", "shape": [1, 2, 3]}]}
    size, tensor = len(json.dumps(request, default=str)), request["inputs"][0]
    shapes = ([2], [1, 1]) if tensor["datatype"] == "BYTES" else ([2, 3, 5], [1, 1, 4, 4], [2, 3, 2, 1])
    tensor["shape"] = list(shapes[size % len(shapes)])
    count = math.prod(tensor["shape"])
    if tensor["datatype"] == "BYTES":
        tensor["data"] = [base64.b64encode(FILE).decode()] * count
    else:
        tensor["data"] = [0.25 if tensor["datatype"] == "FP32" else place % 256 for place in range(count)]
    fits(request.get("parameters"), tensor)
    fits(tensor.get("parameters"), tensor)
    if case.media_type != "application/json":
        samples = struct.pack(f"<{count}H", *tensor.pop("data"))
        tensor["parameters"] = {"binary_data_size": len(samples)}
        text = json.dumps(request).encode()
        case.headers["Inference-Header-Content-Length"] = str(len(text))
        case.body = text + samples


def fits(parameters, tensor):
    """Removes parameters that do not apply to `tensor` or that need each other."""
    if not isinstance(parameters, dict):
        return
    parameters.pop("binary_data_size", None)
    has_window = parameters.get("window_center") is not None and parameters.get("window_width") is not None
    if tensor["datatype"] == "UINT8" or not has_window:
        parameters.pop("window_center", None)
        parameters.pop("window_width", None)
    if tensor["datatype"] in ("UINT8", "FP32"):
        parameters.pop("bits", None)
