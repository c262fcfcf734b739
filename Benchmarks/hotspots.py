"""Profiles dia-bench with perf and writes the shares by kind of work to docs/results/profile.md.

    make bench-profile      requires perf (Debian: linux-perf)
"""

import pathlib
import re
import subprocess

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / ".build/bench"

# The first pattern that matches a symbol determines its kind.
KINDS = [
    # On processors with AVX-512 this includes Winograd and direct products.
    ("products, AVX-512", r"dia_wide_product"),
    ("products, Winograd", r"WinogradConvolution.*multiply"),
    ("products, direct", r"DirectConvolutionO3run"),
    ("weight gradients", r"WinogradWeightGradient|DirectWeightGradient|dia_wide_outer"),
    ("transforms", r"WinogradTiles|WinogradConvolution"),
    ("norms and SiLU", r"GroupNorm|BatchNorm|LayerNorm|RowStatistics|WeightStandardization"),
    ("attention", r"Attention|Softmax|sgemm|gemm"),
    ("optimizer", r"OptimizerSteps"),
    ("copies and sums", r"Elementwise|Upsampling|Pooling|ColumnSums|Activation|PatchGrid|memmove|memset|memcpy"),
    ("waiting", r"4Team"),
    ("kernel", r"\[k\]"),
]
ROWS = [
    ("ResNet-18 width 64, 40 views", WORK / "paper", "encoder", 40, 32, False),
    ("pneumonia encoder, 64 views", ROOT / "Models/pneumonia", "encoder", 64, 28, False),
    ("U-Net dim 64, 1 image", WORK / "paper", "unet", 1, 32, False),
    ("U-Net dim 64, 8 images", WORK / "paper", "unet", 8, 32, False),
    ("pneumonia U-Net, 32 images", ROOT / "Models/pneumonia", "unet", 32, 32, False),
    ("training step, U-Net dim 64, 32 images", WORK / "paper", "unet", 32, 32, True),
    ("training step, ResNet-18 width 64, 384 views", WORK / "paper", "encoder", 384, 32, True),
]


def shares(model, network, batch, side, training):
    """Returns the share of each kind in the samples of a run, without preparation."""
    np.random.default_rng(0).random((batch, side, side, 1)).astype("<f4").tofile(WORK / "profile-in")
    command = [ROOT / ".build/release/dia-bench", "--model", model, "--network", network, "--batch", str(batch)]
    command += ["--input", WORK / "profile-in"] + (["--training"] if training else [])
    process = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    data = WORK / "perf.data"
    perf = subprocess.Popen(["perf", "record", "-q", "-p", str(process.pid), "-o", str(data)], stderr=subprocess.DEVNULL)
    milliseconds = 0
    while milliseconds < 8000:
        process.stdin.write("\n")
        process.stdin.flush()
        milliseconds += float(process.stdout.readline())
    perf.send_signal(2)
    perf.wait()
    process.stdin.close()
    process.wait()
    report = subprocess.check_output(
        ["perf", "report", "-i", str(data), "--no-children", "--stdio", "--sort", "symbol"], text=True,
        stderr=subprocess.DEVNULL,
    )
    result = {name: 0.0 for name, _ in KINDS} | {"rest": 0.0}
    for line in report.splitlines():
        found = re.match(r"\s+([0-9.]+)%\s+(.*)", line)
        if found:
            kind = next((name for name, pattern in KINDS if re.search(pattern, found[2])), "rest")
            result[kind] += float(found[1])
    return result


def main():
    names = [name for name, _ in KINDS] + ["rest"]
    lines = ["| workload | " + " | ".join(names) + " |", "| --- |" + " --- |" * len(names)]
    for name, *arguments in ROWS:
        result = shares(*arguments)
        lines.append(f"| {name} | " + " | ".join(f"{result[kind]:.0f}%" for kind in names) + " |")
        print(lines[-1], flush=True)
    (ROOT / "docs/results/profile.md").write_text(
        "# Profile\n\nWritten by `make bench-profile`: shares of `perf record` samples by symbol, on all threads, over eight "
        "seconds of runs.\n\n" + "\n".join(lines) + "\n"
    )


if __name__ == "__main__":
    main()
