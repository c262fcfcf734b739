#!/usr/bin/env python3
"""MLServer's codecs against the server at the URL in the first argument."""

import json
import sys
import urllib.request

import comparison
import numpy
from mlserver.codecs import Base64Codec, NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, Parameters

URL = sys.argv[1]
MODEL = comparison.MODEL


def infer(image, parameters=None):
    """Sends a request as MLServer's documentation does, and returns the response."""
    call = InferenceRequest(inputs=[image], parameters=parameters)
    request = urllib.request.Request(
        f"{URL}/v2/models/{MODEL}/infer", call.model_dump_json().encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as response:
        return InferenceResponse.model_validate(json.load(response))


def values(response):
    """Returns a function from the name of an output to its values."""
    outputs = {output.name: output for output in response.outputs}

    def decoded(name):
        output = outputs[name]
        return StringCodec.decode_output(output) if name == "verdict" else NumpyCodec.decode_output(output).ravel()

    return decoded


comparer = comparison.Comparison(URL)
files = comparison.examples()
comparer.check("Base64Codec", files, values(infer(Base64Codec.encode_input("image", files))))
for dtype in (numpy.uint8, numpy.uint16, numpy.float32):
    stack = comparison.images(dtype)
    pngs = comparison.files(stack)
    comparer.check(f"NumpyCodec, {dtype.__name__}", pngs, values(infer(NumpyCodec.encode_input("image", stack))))
stack = comparison.images(numpy.uint16) >> 4
image = NumpyCodec.encode_input("image", stack)
comparer.check("parameters", comparison.files(stack), values(infer(image, Parameters(bits=12))), "?bits=12")
# Some clients nest the numbers as in the shape.
image = NumpyCodec.encode_input("image", stack)
image.data.root = stack.tolist()
comparer.check("nested arrays", comparison.files(stack), values(infer(image, Parameters(bits="12"))), "?bits=12")
comparer.finish("mlserver.codecs")
