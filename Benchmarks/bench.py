"""Compares the networks and training steps with PyTorch, ONNX Runtime and OpenVINO, in fp32, in one run.

    make bench              all rows, about 15 minutes
    bench.py --only unet    only rows whose name contains a string
"""

import argparse
import json
import pathlib
import platform
import statistics
import struct
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "Tests/Reference"), str(ROOT / "Tools")]

import dia_testing  # noqa: E402
import make_models  # noqa: E402
import numpy as np  # noqa: E402
import onnxruntime  # noqa: E402
import openvino  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

WORK = ROOT / ".build/bench"
THREADS = len(__import__("os").sched_getaffinity(0))
STEP = 100


def load(path):
    """Returns the tensors of a safetensors file."""
    raw = path.read_bytes()
    (length,) = struct.unpack("<Q", raw[:8])
    tensors = {}
    for name, entry in json.loads(raw[8 : 8 + length]).items():
        if name == "__metadata__":
            continue
        first, last = entry["data_offsets"]
        kind = {"F32": "<f4", "F16": "<f2"}[entry["dtype"]]
        values = np.frombuffer(raw[8 + length + first : 8 + length + last], kind).astype("f4")
        tensors[name] = torch.from_numpy(values.reshape(entry["shape"]).copy())
    return tensors


def network(model, kind):
    """Returns the PyTorch network of a model directory, with its weights."""
    manifest = json.loads((model / "model.json").read_text())
    if kind == "unet":
        part = manifest["dissolve"]
        result = make_models.UNet(part["dim"], part["dim_mults"], part["channels"])
    else:
        part = manifest["encoder"]
        result = make_models.Encoder(part["stem"], part["width"], part["channels"], part["projection"])
    result.load_state_dict(load(model / part["file"]), strict=False)
    return result


def side(model, kind):
    manifest = json.loads((model / "model.json").read_text())
    return manifest["dissolve"]["resolution"] if kind == "unet" else manifest["input"]["height"]


class Ours:
    """A dia-bench process; each call of run() runs the network once."""

    def __init__(self, model, kind, batch, images, training=False):
        folder = WORK / "io"
        folder.mkdir(exist_ok=True)
        # dia-bench expects channels innermost; with one channel both layouts are the same.
        images.numpy().astype("<f4").transpose(0, 2, 3, 1).tofile(folder / "in")
        command = [
            ROOT / ".build/release/dia-bench", "--model", model, "--network", kind, "--batch", str(batch),
            "--input", folder / "in", "--output", folder / "out", "--threads", str(THREADS),
        ]
        self.process = subprocess.Popen(
            [str(part) for part in command] + (["--training"] if training else []),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )
        word, operations = self.process.stdout.readline().split()
        assert word == "ready"
        # GFLOP of the multiply-adds actually executed.
        self.operations = float(operations)
        self.outputs = np.fromfile(folder / "out", "<f4")

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def timed(call):
    def run():
        start = time.perf_counter()
        call()
        return (time.perf_counter() - start) * 1000

    return run


def in_turn(sides, least):
    """Median times of all sides, run alternately (A B C A B C), each with a warm-up."""
    times = {name: [] for name in sides}
    for run in sides.values():
        run()
    start = time.monotonic()
    while len(times[next(iter(times))]) < least or (time.monotonic() - start < 6 and len(times[next(iter(times))]) < 60):
        for name, run in sides.items():
            # Warm up again: the threads of the previous side still spin for a moment, and the caches hold its data.
            warm = time.monotonic()
            while True:
                run()
                if time.monotonic() - warm > 0.15:
                    break
            times[name].append(run())
    return {name: statistics.median(values) for name, values in times.items()}


def operations(model, kind, batch):
    """GFLOP of a forward pass with direct convolutions; a multiply-add counts as two operations."""
    extent = side(model, kind)
    arguments = (torch.rand(1, 1, extent, extent),) + ((torch.full((1,), STEP),) if kind == "unet" else ())
    counter = FlopCounterMode(display=False)
    with torch.no_grad(), counter:
        network(model, kind).eval()(*arguments)
    return batch * counter.get_total_flops() / 1e9


def machine():
    """The limits of the machine: sgemm in GFLOP/s and memory read bandwidth in GB/s, best of eight runs."""
    a, b = torch.rand(2048, 2048), torch.rand(2048, 2048)
    product = min(timed(lambda: a @ b)() for _ in range(8))
    large = torch.ones(1 << 28)
    read = min(timed(large.sum)() for _ in range(8))
    return 2 * 2048**3 / product / 1e6, large.nbytes / read / 1e6


def inference(model, kind, batch):
    net = network(model, kind).eval()
    torch.manual_seed(0)
    extent = side(model, kind)
    x = torch.rand(batch, 1, extent, extent)
    t = torch.full((batch,), STEP)
    arguments = (x, t) if kind == "unet" else (x,)
    names = ["x", "t"][: len(arguments)]
    path = WORK / f"{kind}.onnx"
    with torch.no_grad():
        expected = net(*arguments)
        torch.onnx.export(net, arguments, str(path), input_names=names, dynamo=True, verbose=False, external_data=False)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    feed = {entry.name: value.numpy() for entry, value in zip(session.get_inputs(), arguments)}
    compiled = openvino.Core().compile_model(
        str(path), "CPU",
        {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": THREADS, "INFERENCE_PRECISION_HINT": "f32"},
    )
    request = compiled.create_infer_request()
    values = [value.numpy() for value in arguments]
    net.to(memory_format=torch.channels_last)
    strided = x.to(memory_format=torch.channels_last)

    def eager(image):
        def run():
            with torch.inference_mode():
                net(image, *arguments[1:])

        return run

    ours = Ours(model, kind, batch, x)
    outputs = [expected] if kind == "unet" else list(expected)
    flat = np.concatenate([o.permute(0, 2, 3, 1).reshape(-1) if o.dim() == 4 else o.reshape(-1) for o in outputs])
    difference = float(np.abs(ours.outputs[-len(flat) :] - flat).max() / np.abs(flat).max())
    result = in_turn(
        {
            "ours": ours.run,
            "ONNX Runtime": timed(lambda: session.run(None, feed)),
            "OpenVINO": timed(lambda: request.infer(values)),
            "PyTorch": timed(eager(strided)),
        },
        7,
    )
    ours.close()
    return result, difference, ours.operations


def training(model, kind, batch):
    """A training step: forward, loss, backward, Adam; PyTorch with both memory formats, eager and compiled."""
    torch.manual_seed(0)
    extent = side(model, kind)
    x = torch.rand(batch, 1, extent, extent)

    def stepper(channels_last, compiled):
        net = network(model, kind).train()
        image = x
        if channels_last:
            net, image = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        optimizer = torch.optim.Adam(net.parameters(), lr=1e-4, betas=(0.9, 0.99), fused=True)
        forward = torch.compile(net) if compiled else net
        t = torch.full((batch,), STEP)
        group = batch // 3
        labels = (torch.arange(batch) % max(1, group)) // max(1, group // 4)
        rows = torch.arange(2 * group)
        positive = torch.where(rows < group, rows + group, rows - group)
        chunk, place = torch.arange(batch) // max(1, group), torch.arange(batch) % max(1, group)
        crosses = (chunk[:, None] == 2) != (chunk[None] == 2)
        hidden = torch.eye(batch, dtype=torch.bool) | (crosses & (place[:, None] == place[None]))

        def step():
            optimizer.zero_grad(set_to_none=True)
            if kind == "unet":
                loss = (forward(image, t) - image).abs().mean()
            else:
                projection, shift = forward(image)
                unit = F.normalize(projection, dim=1)
                similarity = (unit @ unit.T / 0.5).masked_fill(hidden, -1e9)
                contrast = similarity[: 2 * group].logsumexp(1) - similarity[rows, positive]
                loss = contrast.sum() / batch + F.cross_entropy(shift, labels)
            loss.backward()
            optimizer.step()
            return float(loss.detach())

        return step

    sides, losses = {}, {}
    for channels_last in (False, True):
        for compiled in (False, True):
            name = f"PyTorch {'channels_last' if channels_last else 'NCHW'}{' compiled' if compiled else ''}"
            try:
                step = stepper(channels_last, compiled)
                losses[name] = step()
                # A quick measurement; only the fastest PyTorch configuration is compared.
                sides[name] = (min(timed(step)() for _ in range(2)), step)
            except Exception as error:  # torch.compile needs a compiler and does not support every graph.
                print(f"  {name} failed: {str(error).splitlines()[0][:100]}", file=sys.stderr)
    best = min(sides, key=lambda name: sides[name][0])
    ours = Ours(model, kind, batch, x, training=True)
    difference = abs(float(ours.outputs[0]) - losses[best]) / abs(losses[best])
    result = in_turn({"ours": ours.run, best: timed(sides[best][1])}, 7 if sides[best][0] < 1500 else 3)
    ours.close()
    return result, difference, ours.operations


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", default="")
    parser.add_argument("--out", default=str(ROOT / "docs/results/benchmarks.md"))
    options = parser.parse_args()
    torch.set_num_threads(THREADS)
    torch.manual_seed(0)
    pneumonia, paper, imagenet = ROOT / "Models/pneumonia", WORK / "paper", WORK / "imagenet"
    rows = [
        ("U-Net dim 64, 32x32, 1 image", inference, paper, "unet", 1, 1.3),
        ("U-Net dim 64, 32x32, 8 images", inference, paper, "unet", 8, 2.0),
        ("pneumonia U-Net, 1 image", inference, pneumonia, "unet", 1, 1.3),
        ("pneumonia U-Net, 32 images", inference, pneumonia, "unet", 32, 2.0),
        ("pneumonia encoder, 28x28, 64 views", inference, pneumonia, "encoder", 64, 2.0),
        ("ResNet-18 width 64, 32x32, 4 views", inference, paper, "encoder", 4, 1.5),
        ("ResNet-18 width 64, 32x32, 40 views", inference, paper, "encoder", 40, 2.0),
        ("ResNet-18 width 64, 32x32, 160 views", inference, paper, "encoder", 160, 2.0),
        ("ResNet-18 imagenet stem, 224x224, 4 views", inference, imagenet, "encoder", 4, 1.5),
        ("ResNet-18 imagenet stem, 224x224, 16 views", inference, imagenet, "encoder", 16, 1.5),
        ("training step, pneumonia U-Net, 32 images", training, pneumonia, "unet", 32, 1.5),
        ("training step, pneumonia encoder, 192 views", training, pneumonia, "encoder", 192, 1.5),
        ("training step, U-Net dim 64, 32 images", training, paper, "unet", 32, 1.5),
        ("training step, ResNet-18 width 64, 384 views", training, paper, "encoder", 384, 1.5),
    ]
    peak, bandwidth = machine()
    lines = [
        "| workload | DIA, ms | fastest other, ms | speedup | goal | all others, ms | largest difference | effective GFLOP/s | actual GFLOP/s |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, measure, model, kind, batch, goal in rows:
        if options.only not in name:
            continue
        result, difference, real = measure(model, kind, batch)
        peers = {peer: value for peer, value in result.items() if peer != "ours"}
        best = min(peers, key=peers.get)
        effective = operations(model, kind, batch) * (3 if measure is training else 1) / result["ours"] * 1000
        line = (
            f"| {name} | {result['ours']:.1f} | {peers[best]:.1f} ({best}) | **{peers[best] / result['ours']:.2f}** | "
            f"{goal} | {', '.join(f'{p} {v:.0f}' for p, v in peers.items())} | {difference:.1e} | "
            f"{effective:.0f} | {real / result['ours'] * 1000:.0f} ({real / result['ours'] * 1e5 / peak:.0f}%) |"
        )
        print(line, flush=True)
        lines.append(line)
    versions = f"PyTorch {torch.__version__}, ONNX Runtime {onnxruntime.__version__}, OpenVINO {openvino.__version__.split('-')[0]}"
    if not options.only:
        text = (
            "# Benchmarks\n\nWritten by `make bench`: median times of alternating runs (A B A B) in fp32, with the same "
            "weights for all. The difference is the largest absolute difference between the outputs of DIA and PyTorch, "
            "relative to the largest output (for training steps: the relative difference of the first losses).\n\n"
            f"{dia_testing.processor_name()}, {THREADS} threads, {platform.system()}; {versions}. PyTorch sgemm of 2048x2048: {peak:.0f} "
            f"GFLOP/s; memory read bandwidth: {bandwidth:.0f} GB/s. Effective GFLOP/s count every convolution as a direct "
            "convolution (three times for a training step), so they include the savings of Winograd. Actual GFLOP/s count "
            "the multiply-adds that are executed, with their share of the sgemm rate in parentheses. The rest of the time "
            "is spent in transforms, norms, attention and memory accesses.\n\n" + "\n".join(lines) + "\n"
        )
        pathlib.Path(options.out).write_text(text)


if __name__ == "__main__":
    main()
