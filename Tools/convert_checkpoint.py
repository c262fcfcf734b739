#!/usr/bin/env python3
"""Converts PyTorch checkpoints of the reference implementation to the weight files of a model directory.

    Tools/convert_checkpoint.py --unet model-10.pt --encoder last.model --size 28 --out Models/mine
    dia-train calibrate --data DATA --normal LABEL --out Models/mine

Requires only Python 3.9; for details see docs/converting.md. A checkpoint is a pickle file, which can run arbitrary code
when it is loaded. This program loads only the types that tensors consist of and ignores everything else.
"""

import argparse
import array
import collections
import json
import pathlib
import pickle
import struct
import sys
import zipfile

# Bytes per element of a storage, and the safetensors type if the elements are not converted.
STORAGES = {
    "FloatStorage": (4, "F32"), "HalfStorage": (2, "F16"), "DoubleStorage": (8, None), "BFloat16Storage": (2, None),
    "LongStorage": (8, None), "IntStorage": (4, None), "ShortStorage": (2, None), "CharStorage": (1, None),
    "ByteStorage": (1, None), "BoolStorage": (1, None),
}


class Failure(Exception):
    pass


class Ignored:
    """Replaces every object that is not a tensor, such as optimizers and arguments."""

    def __init__(self, *_arguments, **_options):
        pass

    def __setstate__(self, _state):
        pass

    def __call__(self, *_arguments, **_options):
        return Ignored()

    def append(self, _item):
        pass

    def extend(self, _items):
        pass

    def __setitem__(self, _key, _value):
        pass


class Tensor:
    def __init__(self, storage, offset, shape, strides):
        self.kind, self.key, self.offset = storage[0], storage[1], offset
        self.shape, self.strides = tuple(shape), tuple(strides)


def rebuild_tensor(storage, offset, shape, strides, *_rest):
    return Tensor(storage, offset, shape, strides)


class Checkpoint(pickle.Unpickler):
    """A torch.save file (the zip format of PyTorch 1.6 and later)."""

    def __init__(self, path):
        self.path = path
        try:
            self.archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile):
            raise Failure(f"{path}: not a checkpoint in PyTorch's zip format; save it again with torch.save") from None
        names = [name for name in self.archive.namelist() if name.endswith("/data.pkl") or name == "data.pkl"]
        if len(names) != 1:
            raise Failure(f"{path}: contains no data.pkl")
        self.prefix = names[0][: -len("data.pkl")]
        super().__init__(self.archive.open(names[0]))

    def find_class(self, module, name):
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        if module == "torch._utils" and name.startswith("_rebuild_tensor"):
            return rebuild_tensor
        if (module, name) == ("torch._utils", "_rebuild_parameter"):
            return lambda tensor, *_rest: tensor
        if module.startswith("torch") and name in STORAGES:
            return name
        return Ignored

    def persistent_load(self, identifier):
        return (identifier[1], identifier[2]) if identifier[0] == "storage" else Ignored()

    def contents(self):
        try:
            return self.load()
        except Failure:
            raise
        except Exception as error:
            raise Failure(f"{self.path}: cannot be read: {error}") from None

    def numbers(self, name, tensor):
        """Returns the tensor's data, row-major and little-endian, and its safetensors type."""
        if tensor.kind not in STORAGES:
            raise Failure(f"{self.path}: {name} has the unknown type {tensor.kind}")
        size, kept = STORAGES[tensor.kind]
        try:
            data = self.archive.read(f"{self.prefix}data/{tensor.key}")
        except KeyError:
            raise Failure(f"{self.path}: the data of {name} is missing") from None
        count = 1
        for extent in tensor.shape:
            count *= extent
        last = tensor.offset + sum((extent - 1) * stride for extent, stride in zip(tensor.shape, tensor.strides))
        if count and (tensor.offset < 0 or min(tensor.strides, default=0) < 0 or (last + 1) * size > len(data)):
            raise Failure(f"{self.path}: {name} is larger than its storage")
        dense, step = [], 1
        for extent in reversed(tensor.shape):
            dense.insert(0, step)
            step *= extent
        if all(extent == 1 or a == b for extent, a, b in zip(tensor.shape, tensor.strides, dense)):
            raw = data[tensor.offset * size : (tensor.offset + count) * size]
        else:
            places = [tensor.offset]
            for extent, stride in zip(tensor.shape, tensor.strides):
                places = [place + index * stride for place in places for index in range(extent)]
            raw = b"".join(data[place * size : (place + 1) * size] for place in places)
        if kept:
            return raw, kept
        if tensor.kind == "DoubleStorage":
            return array.array("f", struct.unpack(f"<{count}d", raw)).tobytes(), "F32"
        if tensor.kind == "BFloat16Storage":
            return b"".join(b"\0\0" + raw[2 * index : 2 * index + 2] for index in range(count)), "F32"
        raise Failure(f"{self.path}: {name} has an integer type")


def state_dict(contents, path):
    """Returns the flat dictionary of tensors in a checkpoint, without any wrapper."""
    if isinstance(contents, dict):
        # Trainer files of denoising-diffusion-pytorch: use the moving average (EMA).
        for key in ("ema", "model", "state_dict", "model_state_dict", "net"):
            if isinstance(contents.get(key), dict) and tensors(contents[key]):
                return contents[key]
        if tensors(contents):
            return contents
    raise Failure(f"{path}: contains no state dict")


def tensors(entries):
    return {name: value for name, value in entries.items() if isinstance(name, str) and isinstance(value, Tensor)}


def stripped(entries, anchor, path):
    """Returns the tensors of the network that contains `anchor`, without the common prefix of their names."""
    found = [name[: -len(anchor)] for name in entries if name.endswith(anchor)]
    # An EMA contains the network twice; use the averaged one.
    found.sort(key=lambda prefix: ("online" in prefix, len(prefix)))
    if not found:
        raise Failure(f"{path}: has no tensor {anchor}")
    return {name[len(found[0]) :]: value for name, value in entries.items() if name.startswith(found[0])}


def write(path, checkpoint, entries):
    header, data = {}, []
    place = 0
    for name, tensor in entries.items():
        raw, kind = checkpoint.numbers(name, tensor)
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [place, place + len(raw)]}
        data.append(raw)
        place += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(data))


def convert_unet(path, out):
    checkpoint = Checkpoint(path)
    entries = stripped(tensors(state_dict(checkpoint.contents(), path)), "init_conv.weight", path)
    kept = ("init_conv.", "time_mlp.", "downs.", "ups.", "mid_", "final_")
    entries = {name: value for name, value in entries.items() if name.startswith(kept)}
    dim, channels = entries["init_conv.weight"].shape[:2]
    mults = []
    while f"downs.{len(mults)}.3.weight" in entries:
        mults.append(entries[f"downs.{len(mults)}.3.weight"].shape[0] // dim)
    if not mults:
        raise Failure(f"{path}: has no tensor downs.0.3.weight")
    write(out / "unet.safetensors", checkpoint, entries)
    return {"dim": dim, "dim_mults": mults}, channels


def convert_encoder(path, out):
    checkpoint = Checkpoint(path)
    entries = stripped(tensors(state_dict(checkpoint.contents(), path)), "simclr_layer.0.weight", path)
    kept = ("conv1.", "bn1.", "layer", "simclr_layer.", "shift_cls_layer.")
    entries = {
        name: value for name, value in entries.items()
        if name.startswith(kept) and not name.endswith("num_batches_tracked")
    }
    for name in ("conv1.weight", "simclr_layer.2.weight", "shift_cls_layer.weight"):
        if name not in entries:
            raise Failure(f"{path}: has no tensor {name}")
    width, channels, kernel = entries["conv1.weight"].shape[:3]
    projection = entries["simclr_layer.2.weight"].shape[0]
    write(out / "encoder.safetensors", checkpoint, entries)
    return {"stem": "imagenet" if kernel == 7 else "cifar", "width": width, "projection": projection}, channels


def recipe(options, unet, encoder, channels):
    """Returns a recipe for dia-train calibrate. Training settings are the defaults of the method, with zero steps."""
    return {
        "name": options.out.name, "version": "1.0.0", "description": "Converted from PyTorch checkpoints.",
        "intended_use": "Research use only, not for diagnosis.", "license": options.license, "seed": 0,
        "input": {"channels": channels, "height": options.size, "width": options.size},
        "diffusion": unet | {
            "resolution": options.resolution, "fit": "pad" if options.size <= options.resolution else "resize",
            "timesteps": 1000, "beta_schedule": options.beta_schedule, "default_t": 200, "batch": 32, "steps": 0,
            "optimizer": "adam", "learning_rate": 8e-5, "warm_up_steps": 0, "decay": "constant", "ema_decay": 0.995,
            "ema_every": 10,
        },
        "encoder": encoder | {
            "shifts": options.shifts, "batch": 32, "steps": 0, "optimizer": "lars", "learning_rate": 1.0,
            "warm_up_steps": 0, "decay": "cosine", "negatives": "dissolved", "dissolve_from": 30, "dissolve_to": 100,
            "temperature": 0.5, "mask": "shifted_removed", "crop_scale": 0.08, "jitter": 0.4, "hue": 0.1,
            "jitter_probability": 0.8, "gray_probability": 0.2,
        },
        "score": {
            "method": "csi", "views": 10, "crop_scale": 0.54, "seed": 0, "bank": 2048, "calibration_share": 0.15,
            "alpha": 0.05,
        },
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--unet", type=pathlib.Path, required=True, help="checkpoint of denoising-diffusion-pytorch")
    parser.add_argument("--encoder", type=pathlib.Path, required=True, help="checkpoint of the DIA or CSI encoder")
    parser.add_argument("--out", type=pathlib.Path, required=True, help="model directory to write")
    parser.add_argument("--size", type=int, required=True, help="side length of the encoder's images")
    parser.add_argument("--resolution", type=int, default=32, help="side length of the U-Net's images (default: 32)")
    parser.add_argument("--beta-schedule", choices=["cosine", "linear"], default="cosine")
    parser.add_argument("--shifts", choices=["rotation", "cutperm"], default="rotation")
    parser.add_argument("--license", default="unknown", help="license of the weights")
    options = parser.parse_args()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        unet, channels = convert_unet(options.unet, options.out)
        encoder, others = convert_encoder(options.encoder, options.out)
        if channels != others:
            raise Failure(f"the U-Net takes {channels} channels, the encoder {others}")
        text = json.dumps(recipe(options, unet, encoder, channels), indent=2) + "\n"
        (options.out / "recipe.json").write_text(text)
    except (Failure, OSError) as failure:
        sys.exit(f"convert_checkpoint: {failure}")
    print(f"{options.out}: unet.safetensors, encoder.safetensors, recipe.json written; run dia-train calibrate next")


if __name__ == "__main__":
    main()
