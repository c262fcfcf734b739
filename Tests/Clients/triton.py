#!/usr/bin/env python3
"""tritonclient (HTTP and aio) against the server at the URL in the first argument."""

import asyncio
import base64
import sys

import comparison
import numpy
import tritonclient.http
import tritonclient.http.aio
from tritonclient.utils import InferenceServerException

URL = sys.argv[1]
HOST = URL.removeprefix("http://")
MODEL = comparison.MODEL
TYPES = {"UINT8": numpy.uint8, "UINT16": numpy.uint16, "FP32": numpy.float32}


def tensor(module, array, datatype, binary=True):
    """Returns the input of a request."""
    result = module.InferInput("image", list(array.shape), datatype)
    result.set_data_from_numpy(array, binary_data=binary)
    return result


def requests(module):
    """Yields a name, the input, the files for /v1/score, its query, and the arguments of infer."""
    files = comparison.examples()
    objects = numpy.array(files, dtype=object)
    yield "BYTES", tensor(module, objects, "BYTES"), files, "", {}
    yield "BYTES [N, 1]", tensor(module, objects.reshape(-1, 1), "BYTES"), files, "", {}
    texts = numpy.array([base64.b64encode(file).decode() for file in files], dtype=object)
    yield "BYTES, JSON", tensor(module, texts, "BYTES", False), files, "", {}
    for algorithm in ("gzip", "deflate"):
        options = {"request_compression_algorithm": algorithm, "response_compression_algorithm": algorithm}
        yield f"BYTES, {algorithm}", tensor(module, objects, "BYTES"), files, "", options
    for datatype, dtype in TYPES.items():
        stack = comparison.images(dtype)
        files = comparison.files(stack)
        for binary in (True, False):
            form = "binary" if binary else "JSON"
            yield f"{datatype} [N, H, W], {form}", tensor(module, stack, datatype, binary), files, "", {}
        yield f"{datatype} [N, 1, H, W]", tensor(module, stack[:, None], datatype), files, "", {}
        yield f"{datatype} [N, H, W, 1]", tensor(module, stack[..., None], datatype), files, "", {}
    stack = comparison.images(numpy.uint16) >> 4
    options = {"parameters": {"bits": 12, "photometric": "MONOCHROME1"}}
    query = "?bits=12&photometric=MONOCHROME1"
    yield "parameters", tensor(module, stack, "UINT16"), comparison.files(stack), query, options
    window = {"parameters": {"window_center": 2000.5, "window_width": 900}}
    query = "?window_center=2000.5&window_width=900"
    yield "a window", tensor(module, stack, "UINT16"), comparison.files(stack), query, window


def some_outputs(module):
    """Returns a request for three outputs, one of them in JSON."""
    return [
        module.InferRequestedOutput("score"),
        module.InferRequestedOutput("p_value", binary_data=False),
        module.InferRequestedOutput("verdict"),
    ]


def check_some(result, files, comparer):
    """Checks the response to `some_outputs`."""
    assert [output["name"] for output in result.get_response()["outputs"]] == ["score", "p_value", "verdict"]
    for score, file in zip(result.as_numpy("score"), files):
        assert abs(score - comparer.expected(file)["score"]) < comparison.TOLERANCE


def check_metadata(client):
    """Calls everything but inference."""
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    metadata = client.get_model_metadata(MODEL)
    version = metadata["versions"][0]
    assert client.is_model_ready(MODEL, version) and not client.is_model_ready(MODEL, version + ".1")
    assert client.get_model_metadata(MODEL, version) == metadata
    configuration = client.get_model_config(MODEL)
    assert configuration == client.get_model_config(MODEL, version) and configuration["max_batch_size"] == 0
    assert [part["name"] for part in configuration["output"]] == [part["name"] for part in metadata["outputs"]]
    index = client.get_model_repository_index()
    assert {"name": MODEL, "version": version, "state": "READY", "reason": ""} in index
    before = client.get_inference_statistics(MODEL, version)["model_stats"][0]
    files = numpy.array(comparison.examples(), dtype=object)
    client.infer(MODEL, [tensor(tritonclient.http, files, "BYTES")], model_version=version)
    after = client.get_inference_statistics(MODEL)["model_stats"][0]
    assert after["inference_count"] == before["inference_count"] + len(files)
    assert after["inference_stats"]["success"]["count"] == before["inference_stats"]["success"]["count"] + 1
    assert MODEL in [part["name"] for part in client.get_inference_statistics()["model_stats"]]
    client.load_model(MODEL)
    refused = [
        lambda: client.unload_model(MODEL), client.get_log_settings, client.get_trace_settings,
        client.get_system_shared_memory_status, client.get_cuda_shared_memory_status,
        lambda: client.load_model(MODEL, config="{}"),
        lambda: client.infer(MODEL, [tensor(tritonclient.http, files, "BYTES")], model_version="0"),
    ]
    for call in refused:
        try:
            call()
        except InferenceServerException as error:
            assert error.status() in ("400", "404") and len(error.message()) > 20, error
            print(f"  refused with {error.status()}: {error.message()}")
        else:
            raise AssertionError("expected an error")


async def aio():
    """The same inference requests with the asynchronous client."""
    comparer = comparison.Comparison(URL)
    async with tritonclient.http.aio.InferenceServerClient(HOST) as client:
        assert await client.is_server_ready() and await client.is_model_ready(MODEL)
        for name, image, files, query, options in requests(tritonclient.http.aio):
            result = await client.infer(MODEL, [image], **options)
            comparer.check(f"aio, {name}", files, result.as_numpy, query)
        files = comparison.examples()
        image = tensor(tritonclient.http.aio, numpy.array(files, dtype=object), "BYTES")
        result = await client.infer(MODEL, [image], outputs=some_outputs(tritonclient.http.aio))
        check_some(result, files, comparer)
    comparer.finish("tritonclient.http.aio")


comparer = comparison.Comparison(URL)
with tritonclient.http.InferenceServerClient(HOST) as client:
    for name, image, files, query, options in requests(tritonclient.http):
        result = client.infer(MODEL, [image], **options)
        comparer.check(name, files, result.as_numpy, query)
    files = comparison.examples()
    image = tensor(tritonclient.http, numpy.array(files, dtype=object), "BYTES")
    result = client.infer(MODEL, [image], request_id="a", outputs=some_outputs(tritonclient.http))
    assert result.get_response()["id"] == "a"
    comparer.check("async_infer", files, client.async_infer(MODEL, [image]).get_result().as_numpy)
    check_some(result, files, comparer)
    check_metadata(client)
comparer.finish("tritonclient.http")
asyncio.run(aio())
