"""Counts the memory allocations of a pass through a network after warm-up: `make bench-allocations`."""

import pathlib
import random
import struct
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / ".build/bench"
WARM_UP, RUNS = 5, 20
ROWS = [
    ("pneumonia encoder, 64 views", ROOT / "Models/pneumonia", "encoder", 64, 28),
    ("pneumonia U-Net, 4 images", ROOT / "Models/pneumonia", "unet", 4, 32),
    ("ResNet-18 width 64, 40 views", WORK / "paper", "encoder", 40, 32),
    ("U-Net dim 64, 8 images", WORK / "paper", "unet", 8, 32),
]


def main():
    generator = random.Random(0)
    library, images = WORK / "allocations.so", WORK / "images"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-o", library, ROOT / "Benchmarks/allocations.c"], check=True)
    print("| workload | allocations per pass | bytes |\n| --- | --- | --- |")
    for name, model, network, batch, side in ROWS:
        images.write_bytes(struct.pack(f"<{batch * side * side}f", *(generator.random() for _ in range(batch * side**2))))
        command = [ROOT / ".build/release/dia-bench", "--allocations", "--model", model, "--network", network]
        result = subprocess.run(
            [*command, "--batch", str(batch), "--input", images], check=True, capture_output=True, text=True,
            input="\n" * (WARM_UP + RUNS), env={"LD_PRELOAD": str(library)},
        )
        runs = [tuple(map(int, line.split())) for line in result.stdout.split("\n")[1 + WARM_UP : 1 + WARM_UP + RUNS]]
        (requests, bytes), (most_requests, most_bytes) = min(runs), max(runs)
        assert (requests, bytes) == (most_requests, most_bytes), f"{name}: the runs differ: {runs}"
        print(f"| {name} | {requests} | {bytes} |")


if __name__ == "__main__":
    main()
