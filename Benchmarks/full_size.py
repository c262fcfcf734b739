"""Measures training at the paper's size on phantoms (seconds per step, memory), for docs/results/full-size-training.md.

    make bench-full-size
"""

import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402

WORK = ROOT / ".build/bench/full-size"
TRAINER = ROOT / ".build/release/dia-train"


def run(name, steps):
    """Returns the seconds and the peak resident memory in gigabytes of a stage of `steps` steps, started from scratch."""
    recipe = json.loads((ROOT / "Benchmarks/full-size.json").read_text())
    recipe[name]["steps"] = steps
    (WORK / "recipe.json").write_text(json.dumps(recipe))
    (WORK / f"model/.training/{name}.checkpoint.safetensors").unlink(missing_ok=True)
    start, memory = time.monotonic(), 0.0
    process = subprocess.Popen(
        [TRAINER, name, "--data", WORK / "data", "--normal", "normal", "--out", WORK / "model", "--recipe",
         WORK / "recipe.json"], stderr=subprocess.DEVNULL)
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        peak = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        memory = max([memory] + [int(line.split()[1]) / 1e6 for line in peak])
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{name} exited with status {process.returncode}")
    return time.monotonic() - start, memory


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    subprocess.run([TRAINER, "synthesize", "--out", WORK / "data", "--side", "224", "--train", "40", "--validation", "0",
                    "--test", "0"], check=True)
    rows = []
    for name, work, few, many in [
        ("diffusion", "U-Net dim 64, 1-2-4-8, 32 images of 32 x 32 x 3", 2, 12),
        ("encoder", "ResNet-18 width 64, imagenet stem, 384 views of 224 x 224 x 3", 1, 5),
    ]:
        first, second = run(name, few), run(name, many)
        # The difference excludes loading, planning and the checkpoint, which are in both.
        rows.append(f"| {name} | {work} | {(second[0] - first[0]) / (many - few):.2f} | {second[1]:.1f} |")
        print(rows[-1], flush=True)
    (ROOT / "docs/results/full-size-training.md").write_text(
        "# Training at the paper's size\n\nWritten by `make bench-full-size`, with "
        "[full-size.json](../../Benchmarks/full-size.json): the paper's networks, 32 images per step, twelve views "
        f"of each for the encoder. {dia_testing.processor_name()}, {os.cpu_count()} processors, {platform.system()}.\n\n"
        "| stage | work per step | seconds per step | peak resident memory, GB |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n\nIf a plan needs more than 4 GB, the outputs of batch norms are recomputed in the backward pass instead of "
        "stored. The gradient is bit-identical (`RepeatingPlanTests`).\n"
    )


if __name__ == "__main__":
    main()
