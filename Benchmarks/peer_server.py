"""The peer server for service.py: uvicorn and ONNX Runtime, the same score from the same views, with batching.

    peer_server.py MODEL CROPS PORT     CROPS is the output of dia-bench views
"""

import asyncio
import io
import json
import pathlib
import sys

import numpy as np
import onnxruntime
import torch
import uvicorn
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
from bench import THREADS, load, network  # noqa: E402

MODEL = pathlib.Path(sys.argv[1])
MANIFEST = json.loads((MODEL / "model.json").read_text())
SIDE = MANIFEST["input"]["height"]
LARGEST_BATCH = 16


def taps(start, share):
    """Returns bilinear weights [SIDE, SIDE] that resize part of a line to the full length, with reflected borders."""
    matrix = np.zeros((SIDE, SIDE), "f4")
    for place in range(SIDE):
        position = start * SIDE + (place + 0.5) * share - 0.5
        if position < -0.5:
            position = -1 - position
        if position > SIDE - 0.5:
            position = 2 * SIDE - 1 - position
        position = min(max(position, 0), SIDE - 1)
        first = int(position)
        matrix[place, first] += 1 - (position - first)
        matrix[place, min(first + 1, SIDE - 1)] += position - first
    return matrix


CROPS = [[float(x) for x in line.split()] for line in pathlib.Path(sys.argv[2]).read_text().splitlines()]
ROWS = np.stack([taps(top, height) for top, left, height, width in CROPS])
COLUMNS = np.stack([taps(left, width) for top, left, height, width in CROPS]).transpose(0, 2, 1).copy()
BANK = {name: value.numpy() for name, value in load(MODEL / MANIFEST["score"]["file"]).items()}
CALIBRATION = load(MODEL / MANIFEST["calibration"]["file"])["normality"].numpy()


class Staged(torch.nn.Module):
    """The encoder, with the pooled features of its four stages as additional outputs."""

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder

    def forward(self, x):
        encoder, pooled = self.encoder, []
        x = torch.relu(encoder.bn1(encoder.conv1((x - 0.5) / 0.5)))
        if encoder.stem == "imagenet":
            x = torch.nn.functional.max_pool2d(x, 3, 2, 1)
        for stage in range(4):
            x = getattr(encoder, f"layer{stage + 1}")(x)
            pooled.append(x.mean(dim=(2, 3)))
        return encoder.simclr_layer(pooled[3]), encoder.shift_cls_layer(pooled[3]), *pooled


def session():
    path = MODEL.parent / "peer.onnx"
    x = torch.zeros(2, 1, SIDE, SIDE)
    with torch.no_grad():
        torch.onnx.export(
            Staged(network(MODEL, "encoder")).eval(), (x,), str(path), input_names=["x"], dynamo=True, verbose=False,
            dynamic_shapes=({0: torch.export.Dim("batch")},), external_data=False,
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


SESSION = session()
QUEUE = asyncio.Queue()


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def csi(projections, shifts):
    nearest = np.einsum("bkd,kmd->bkm", projections, BANK["axis"]).max(2) * BANK["weight_sim"]
    own = shifts[:, np.arange(4), np.arange(4)] * BANK["weight_shift"]
    return (nearest + own).mean(1)


def part(name, stages):
    """Returns a part of a combined score: neighbors.STAGE or density.STAGE."""
    kind, stage = name.split(".")
    features = stages[int(stage) - 1]
    if kind == "neighbors":
        return -0.5 * np.log(np.maximum(2 - 2 * (unit(features) @ unit(BANK[name]).T).max(1), 1e-6))
    assert kind == "density", f"the peer does not support {kind}"
    whitened = (features - BANK[f"{name}.mean"]) @ BANK[f"{name}.whitening"].T
    return -0.5 * np.log(np.maximum((whitened**2).sum(1), 1e-12))


def scores(images):
    views = []
    for image in images:
        for k in range(4):
            views.append(ROWS @ np.rot90(image, k) @ COLUMNS)
    batch = np.concatenate(views)[:, None].astype("f4")
    # The mean over the views, for each image and shift.
    outputs = [o.reshape(len(images), 4, len(CROPS), -1).mean(2) for o in SESSION.run(None, {"x": batch})]
    names = MANIFEST["score"].get("parts")
    if not names:
        return csi(*outputs[:2])
    stages = [output.reshape(len(images), -1) for output in outputs[2:]]
    values = np.stack([part(name, stages) for name in names], 1)
    return ((values - BANK["standard.mean"]) / BANK["standard.deviation"]).mean(1)


async def work():
    loop = asyncio.get_running_loop()
    while True:
        batch = [await QUEUE.get()]
        while len(batch) < LARGEST_BATCH and not QUEUE.empty():
            batch.append(QUEUE.get_nowait())
        results = await loop.run_in_executor(None, scores, [image for image, _ in batch])
        for (_, future), value in zip(batch, results):
            future.set_result(float(value))


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        asyncio.create_task(work())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        return await send({"type": "lifespan.shutdown.complete"})
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    image = Image.open(io.BytesIO(body)).convert("L").resize((SIDE, SIDE), Image.BILINEAR)
    future = asyncio.get_running_loop().create_future()
    await QUEUE.put((np.asarray(image, "f4") / 255, future))
    normality = await future
    rank = (1 + int((CALIBRATION <= normality).sum())) / (len(CALIBRATION) + 1)
    response = json.dumps({"normality": normality, "p_value": rank}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(response)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": response})


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[3]), log_level="warning")
