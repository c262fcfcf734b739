"""Writes small model directories with random weights, and the outputs of a PyTorch implementation.

An independent program for Tests/DIATests/ReferenceModelTests.swift. It shares no code with the Swift sources. Its
fixtures are committed. To write them again:

    python3 -m venv /tmp/reference && /tmp/reference/bin/pip install numpy torch
    /tmp/reference/bin/python Tests/Reference/make_models.py Tests/TestSupport/Models
    /tmp/reference/bin/python Tests/Reference/make_models.py Tests/TrainingTests/Data/Checkpoints checkpoints
"""

import hashlib
import json
import math
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def save(path, tensors, half):
    header, data = {}, b""
    for name, value in tensors.items():
        array = value.detach().numpy().astype("<f2" if half else "<f4")
        raw = array.tobytes()
        header[name] = {
            "dtype": "F16" if half else "F32",
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + len(raw)],
        }
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    content = struct.pack("<Q", len(text)) + text + data
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()


# The U-Net of denoising-diffusion-pytorch 0.27.


class StandardizedConv(nn.Conv2d):
    def forward(self, x):
        w = self.weight
        mean = w.mean(dim=(1, 2, 3), keepdim=True)
        var = w.var(dim=(1, 2, 3), keepdim=True, unbiased=False)
        return F.conv2d(x, (w - mean) * (var + 1e-5).rsqrt(), self.bias, padding=1)


class ChannelNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.g = nn.Parameter(torch.ones(1, dim, 1, 1))

    def forward(self, x):
        var = x.var(dim=1, keepdim=True, unbiased=False)
        return (x - x.mean(dim=1, keepdim=True)) * (var + 1e-5).rsqrt() * self.g


class Block(nn.Module):
    def __init__(self, a, b):
        super().__init__()
        self.proj = StandardizedConv(a, b, 3, padding=1)
        self.norm = nn.GroupNorm(8, b)

    def forward(self, x, modulation=None):
        x = self.norm(self.proj(x))
        if modulation is not None:
            scale, shift = modulation
            x = x * (scale + 1) + shift
        return F.silu(x)


class ResBlock(nn.Module):
    def __init__(self, a, b, time):
        super().__init__()
        self.mlp = nn.Sequential(nn.SiLU(), nn.Linear(time, 2 * b))
        self.block1, self.block2 = Block(a, b), Block(b, b)
        self.res_conv = nn.Conv2d(a, b, 1) if a != b else nn.Identity()

    def forward(self, x, t):
        modulation = self.mlp(t)[:, :, None, None].chunk(2, dim=1)
        return self.block2(self.block1(x, modulation)) + self.res_conv(x)


class Attention(nn.Module):
    def __init__(self, dim, linear):
        super().__init__()
        self.linear = linear
        self.to_qkv = nn.Conv2d(dim, 384, 1, bias=False)
        out = nn.Conv2d(128, dim, 1)
        self.to_out = nn.Sequential(out, ChannelNorm(dim)) if linear else out

    def forward(self, x):
        b, _, h, w = x.shape
        q, k, v = (part.reshape(b, 4, 32, h * w) for part in self.to_qkv(x).chunk(3, dim=1))
        if self.linear:
            q, k = q.softmax(dim=-2) * 32**-0.5, k.softmax(dim=-1)
            context = torch.einsum("bhdn,bhen->bhde", k, v / (h * w))
            out = torch.einsum("bhde,bhdn->bhen", context, q)
        else:
            q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
            weights = (torch.einsum("bhdi,bhdj->bhij", q, k) * 10).softmax(dim=-1)
            out = torch.einsum("bhij,bhdj->bhdi", weights, v)
        return self.to_out(out.reshape(b, 128, h, w))


class Wrap(nn.Module):
    """Residual(PreNorm(attention)), with the names of the reference implementation."""

    def __init__(self, dim, linear):
        super().__init__()
        self.fn = nn.Module()
        self.fn.norm, self.fn.fn = ChannelNorm(dim), Attention(dim, linear)

    def forward(self, x):
        return self.fn.fn(self.fn.norm(x)) + x


class UNet(nn.Module):
    def __init__(self, dim, mults, channels):
        super().__init__()
        self.dim = dim
        widths, time = [dim] + [dim * m for m in mults], 4 * dim
        self.init_conv = nn.Conv2d(channels, dim, 7, padding=3)
        self.time_mlp = nn.Sequential(nn.Identity(), nn.Linear(dim, time), nn.GELU(), nn.Linear(time, time))
        self.downs, self.ups = nn.ModuleList(), nn.ModuleList()
        last = len(mults) - 1
        for i in range(len(mults)):
            a, b = widths[i], widths[i + 1]
            down = nn.Conv2d(a, b, 4, 2, 1) if i < last else nn.Conv2d(a, b, 3, padding=1)
            self.downs.append(nn.ModuleList([ResBlock(a, a, time), ResBlock(a, a, time), Wrap(a, True), down]))
        self.mid_block1, self.mid_block2 = ResBlock(b, b, time), ResBlock(b, b, time)
        self.mid_attn = Wrap(b, False)
        for i in reversed(range(len(mults))):
            a, b = widths[i], widths[i + 1]
            conv = nn.Conv2d(b, a, 3, padding=1)
            up = nn.Sequential(nn.Upsample(scale_factor=2), conv) if i > 0 else conv
            self.ups.append(nn.ModuleList([ResBlock(b + a, b, time), ResBlock(b + a, b, time), Wrap(b, True), up]))
        self.final_res_block = ResBlock(2 * dim, dim, time)
        self.final_conv = nn.Conv2d(dim, channels, 1)

    def forward(self, x, t):
        half = self.dim // 2
        angle = t[:, None].float() * torch.exp(torch.arange(half) * -(math.log(10000) / (half - 1)))[None]
        t = self.time_mlp(torch.cat([angle.sin(), angle.cos()], dim=1))
        x = stem = self.init_conv(x)
        kept = []
        for one, two, attention, down in self.downs:
            x = one(x, t)
            kept.append(x)
            x = attention(two(x, t))
            kept.append(x)
            x = down(x)
        x = self.mid_block2(self.mid_attn(self.mid_block1(x, t)), t)
        for one, two, attention, up in self.ups:
            x = one(torch.cat([x, kept.pop()], dim=1), t)
            x = attention(two(torch.cat([x, kept.pop()], dim=1), t))
            x = up(x)
        return self.final_conv(self.final_res_block(torch.cat([x, stem], dim=1), t))


# The encoder: ResNet-18 with two heads.


class BasicBlock(nn.Module):
    def __init__(self, a, b, stride, skip):
        super().__init__()
        self.skip = skip
        self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        side = stride != 1 or a != b
        setattr(self, skip, nn.Sequential(nn.Conv2d(a, b, 1, stride, bias=False), nn.BatchNorm2d(b)) if side else nn.Identity())

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + getattr(self, self.skip)(x))


class Encoder(nn.Module):
    def __init__(self, stem, width, channels, projection):
        super().__init__()
        self.stem = stem
        kernel, stride, padding = (3, 1, 1) if stem == "cifar" else (7, 2, 3)
        self.conv1 = nn.Conv2d(channels, width, kernel, stride, padding, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        skip = "shortcut" if stem == "cifar" else "downsample"
        a = width
        for stage in range(4):
            b = width << stage
            blocks = [BasicBlock(a, b, 2 if stage else 1, skip), BasicBlock(b, b, 1, skip)]
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            a = b
        self.simclr_layer = nn.Sequential(nn.Linear(a, a), nn.ReLU(), nn.Linear(a, projection))
        self.shift_cls_layer = nn.Linear(a, 4)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1((x - 0.5) / 0.5)))
        if self.stem == "imagenet":
            x = F.max_pool2d(x, 3, 2, 1)
        for stage in range(4):
            x = getattr(self, f"layer{stage + 1}")(x)
        x = x.mean(dim=(2, 3))
        return self.simclr_layer(x), self.shift_cls_layer(x)


def shifted(x, kind, k):
    if kind == "rotation":
        return torch.rot90(x, k, (2, 3))
    h, w = x.shape[2] // 2, x.shape[3] // 2
    if k // 2:
        x = torch.cat([x[:, :, h:], x[:, :, :h]], dim=2)
    if k % 2:
        x = torch.cat([x[:, :, :, w:], x[:, :, :, :w]], dim=3)
    return x


def abar(kind, timesteps):
    if kind == "cosine":
        steps = torch.linspace(0, timesteps, timesteps + 1, dtype=torch.float64)
        bar = torch.cos((steps / timesteps + 0.008) / 1.008 * math.pi / 2) ** 2
        bar = bar / bar[0]
        beta = (1 - bar[1:] / bar[:-1]).clamp(0, 0.999)
    else:
        scale = 1000 / timesteps
        beta = torch.linspace(scale * 1e-4, scale * 0.02, timesteps, dtype=torch.float64)
    return torch.cumprod(1 - beta, 0)


def randomize(network):
    """Sets weights that preserve the scale of activations, and non-trivial statistics, all exact in half precision."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if name.endswith("num_batches_tracked"):
                continue
            if name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
            elif name.endswith(("norm.weight", "bn1.weight", "bn2.weight", ".g")):
                value.uniform_(0.7, 1.3)
            elif value.dim() > 1:
                value.normal_(0, 1.2 / math.sqrt(value[0].numel()))
            else:
                value.normal_(0, 0.1)
            value.copy_(value.half().float())


def model(folder, name, size, dim, mults, channels, resolution, fit, beta, stem, width, projection, shifts, half):
    torch.manual_seed(sum(name.encode()))
    path = folder / name
    path.mkdir(parents=True, exist_ok=True)
    unet, encoder = UNet(dim, mults, channels), Encoder(stem, width, channels, projection)
    for network in (unet, encoder):
        randomize(network)
        network.eval()
    axis = F.normalize(torch.randn(4, 6, projection), dim=2).half().float()
    weights = [(torch.rand(4) + 0.5).half().float() for _ in range(2)]
    x = F.interpolate(torch.rand(3, channels, size // 4, size // 4), size=(size, size), mode="bilinear")
    x = (x * 255).round() / 255
    steps = torch.tensor([20, 120, 400])
    with torch.no_grad():
        total = torch.zeros(3)
        for k in range(4):
            f, s = encoder(shifted(x, shifts, k))
            total += weights[0][k] * (f @ axis[k].T).max(dim=1).values + weights[1][k] * s[:, k]
        margin = (resolution - size) // 2
        pad = (margin, resolution - size - margin) * 2
        scaled = F.pad(x, pad) if fit == "pad" else F.interpolate(
            x, size=(resolution, resolution), mode="bilinear", antialias=True
        )
        scaled = scaled * 2 - 1
        inverse = 1 / abar(beta, 1000)[steps]
        a, b = (v.float()[:, None, None, None] for v in (inverse.sqrt(), (inverse - 1).sqrt()))
        dissolved = ((a * scaled - b * unet(scaled, steps)).clamp(-1, 1) + 1) / 2
        if fit == "pad":
            dissolved = dissolved[:, :, margin : margin + size, margin : margin + size]
        else:
            dissolved = F.interpolate(dissolved, size=(size, size), mode="bilinear", antialias=True)
    files = {
        "unet.safetensors": unet.state_dict(),
        "encoder.safetensors": {k: v for k, v in encoder.state_dict().items() if "num_batches" not in k},
        "bank.safetensors": {"axis": axis, "weight_sim": weights[0], "weight_shift": weights[1]},
    }
    digests = {file: save(path / file, tensors, half) for file, tensors in files.items()}
    expected = {"x": x, "dissolved": dissolved, "normality": total / 4}
    save(path / "expected.safetensors", expected, False)
    manifest = {
        "format": "dia-model/1",
        "name": name,
        "version": "1",
        "input": {"channels": channels, "height": size, "width": size},
        "dissolve": {
            "file": "unet.safetensors", "sha256": digests["unet.safetensors"], "dim": dim, "dim_mults": mults,
            "channels": channels, "resolution": resolution, "fit": fit, "timesteps": 1000,
            "beta_schedule": beta, "default_t": 200,
        },
        "encoder": {
            "file": "encoder.safetensors", "sha256": digests["encoder.safetensors"], "arch": "resnet18",
            "stem": stem, "width": width, "channels": channels, "projection": projection, "shifts": shifts,
        },
        "score": {
            "file": "bank.safetensors", "sha256": digests["bank.safetensors"], "method": "csi", "views": 1,
            "crop_scale": 0.54, "seed": 0,
        },
    }
    (path / "model.json").write_text(json.dumps(manifest, indent=2) + "\n")


def checkpoints(folder, name):
    """Writes the networks of a directory written above as PyTorch checkpoints, for Tools/convert_checkpoint.py."""
    torch.manual_seed(sum(name.encode()))
    unet, encoder = UNet(8, [1, 2], 1), Encoder("cifar", 4, 1, 16)
    for network in (unet, encoder):
        randomize(network)
    # Like the trainer of denoising-diffusion-pytorch: the network, and an EMA that contains the average and a copy.
    average = {f"model.{key}": value.half() for key, value in unet.state_dict().items()}
    current = {key: value + 1 for key, value in average.items()}
    betas = {"betas": torch.linspace(0, 1, 1000, dtype=torch.float64)}
    ema = {f"online_model.{key}": value for key, value in current.items()} | {
        f"ema_model.{key}": value for key, value in (average | betas).items()
    }
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(3))])
    optimizer.param_groups[0]["params"][0].sum().backward()
    optimizer.step()
    trainer = {"step": 7, "model": current | betas, "opt": optimizer.state_dict(), "ema": ema | {"initted": torch.tensor(True)}}
    torch.save(trainer, folder / "diffusion.pt")
    # Like an encoder saved by CSI, here with DataParallel and in a different memory layout.
    encoder.linear = nn.Linear(32, 2)
    torch.save(nn.DataParallel(encoder.to(memory_format=torch.channels_last)).state_dict(), folder / "encoder.pt")


def main():
    folder = pathlib.Path(sys.argv[1])
    if len(sys.argv) > 2 and sys.argv[2] == "checkpoints":
        checkpoints(folder, "gray-pad")
        return
    model(folder, "gray-pad", 28, 8, [1, 2], 1, 32, "pad", "cosine", "cifar", 4, 16, "rotation", True)
    model(folder, "rgb-resize", 28, 16, [1, 2, 2], 3, 32, "resize", "linear", "cifar", 8, 32, "cutperm", False)
    model(folder, "deep-gray", 32, 8, [1, 2, 4, 8], 1, 32, "pad", "linear", "cifar", 6, 24, "rotation", True)
    model(folder, "imagenet", 64, 24, [1, 2], 3, 32, "resize", "cosine", "imagenet", 8, 128, "rotation", True)
    if len(sys.argv) > 2:
        # The size used in the paper, too large to commit.
        model(folder, "paper", 32, 64, [1, 2, 4, 8], 1, 32, "pad", "cosine", "cifar", 64, 128, "rotation", True)


if __name__ == "__main__":
    main()
