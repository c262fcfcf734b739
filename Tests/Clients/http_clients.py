#!/usr/bin/env python3
"""Python's HTTP clients against the server at the URL in the first argument; the second one is a PNG file.

Prints one line for each way to send the image: the client with its version, the way, and the score object.
"""

import asyncio
import json
import pathlib
import sys

import aiohttp
import httpx
import requests

URL = sys.argv[1]
PATH = pathlib.Path(sys.argv[2])
IMAGE = PATH.read_bytes()
HEADERS = {"Content-Type": "image/png"}


def show(module, way, result):
    """Prints a line."""
    print(f"{module.__name__} {module.__version__}\t{way}\t{json.dumps(result)}")


def parts():
    """Yields the image in pieces, so that its length is not known before."""
    yield IMAGE[:10]
    yield IMAGE[10:]


def synchronous(module, client):
    """Scores the image with a client of requests or httpx."""
    body = "data" if module is requests else "content"
    form = {"image": (PATH.name, IMAGE, "image/png")}
    for way, arguments in [
        ("body", {body: IMAGE, "headers": HEADERS}),
        ("chunked", {body: parts(), "headers": HEADERS}),
        ("form", {"files": form}),
    ]:
        response = client.post(URL, **arguments)
        response.raise_for_status()
        show(module, way, response.json())


async def asynchronous():
    """Scores the image with aiohttp."""
    form = aiohttp.FormData()
    form.add_field("image", IMAGE, filename=PATH.name, content_type="image/png")

    async def chunks():
        for part in parts():
            yield part

    async with aiohttp.ClientSession(raise_for_status=True) as session:
        for way, arguments in [
            ("body", {"data": IMAGE, "headers": HEADERS}),
            ("chunked", {"data": chunks(), "headers": HEADERS}),
            ("form", {"data": form}),
        ]:
            async with session.post(URL, **arguments) as response:
                show(aiohttp, way, await response.json())


with requests.Session() as session:
    synchronous(requests, session)
with httpx.Client() as client:
    synchronous(httpx, client)
asyncio.run(asynchronous())
