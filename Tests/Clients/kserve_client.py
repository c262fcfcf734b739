#!/usr/bin/env python3
"""KServe's InferenceRESTClient against the server at the URL in the first argument."""

import asyncio
import base64
import sys

import comparison
import numpy
from kserve import InferenceRESTClient, InferInput, InferRequest, RESTConfig
from kserve.protocol.infer_type import RequestedOutput

URL = sys.argv[1]
MODEL = comparison.MODEL
TYPES = {"UINT8": numpy.uint8, "UINT16": numpy.uint16, "FP32": numpy.float32}


def request(array, datatype, binary, parameters=None, outputs=None):
    """Returns an inference request."""
    image = InferInput("image", list(array.shape), datatype)
    image.set_data_from_numpy(array, binary_data=binary)
    return InferRequest(MODEL, [image], parameters=parameters, request_outputs=outputs)


def values(response):
    """Returns a function from the name of an output to its values."""
    outputs = {output.name: output for output in response.outputs}
    return lambda name: outputs[name].as_numpy()


async def main():
    """Compares all forms of requests."""
    comparer = comparison.Comparison(URL)
    client = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await client.is_server_live(URL) and await client.is_server_ready(URL)
    assert await client.is_model_ready(URL, MODEL) and not await client.is_model_ready(URL, "nobody")

    async def check(name, call, files, query=""):
        response = await client.infer(URL, call, model_name=MODEL)
        comparer.check(name, files, values(response), query)

    files = comparison.examples()
    await check("BYTES, binary", request(numpy.array(files, dtype=object), "BYTES", True), files)
    texts = numpy.array([base64.b64encode(file) for file in files], dtype=object)
    await check("BYTES, JSON", request(texts, "BYTES", False), files)
    for binary_outputs in (True, False):
        call = request(
            texts, "BYTES", False, parameters={"binary_data_output": binary_outputs}
        )
        await check(f"binary outputs {binary_outputs}", call, files)
    names = ("normality", "score", "p_value", "anomalous", "verdict", "typical")
    outputs = [RequestedOutput(name, {"binary_data": name != "score"}) for name in names]
    await check("requested outputs", request(texts, "BYTES", False, outputs=outputs), files)
    for datatype, dtype in TYPES.items():
        stack = comparison.images(dtype)
        for binary in (True, False):
            form = "binary" if binary else "JSON"
            await check(f"{datatype}, {form}", request(stack, datatype, binary), comparison.files(stack))
    stack = comparison.images(numpy.uint16) >> 4
    call = request(stack, "UINT16", True, parameters={"bits": 12})
    await check("parameters", call, comparison.files(stack), "?bits=12")
    await client.close()
    comparer.finish("kserve.InferenceRESTClient")


asyncio.run(main())
