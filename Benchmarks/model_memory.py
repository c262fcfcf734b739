#!/usr/bin/env python3
"""Measures the memory of a loaded model: dia-server with one model and with many copies of it (docs/memory.md)."""

import argparse
import json
import pathlib
import re
import shutil
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "Tools"))

import dia_testing  # noqa: E402


def copies(model, count, folder):
    """Writes `count` copies of `model` to `folder`, each with its own name."""
    manifest = json.loads((model / "model.json").read_text())
    weights = {part["file"] for part in manifest.values() if isinstance(part, dict) and "file" in part}
    for index in range(count):
        copy = folder / f"copy-{index}"
        copy.mkdir(parents=True)
        for name in weights:
            shutil.copyfile(model / name, copy / name)
        (copy / "model.json").write_text(json.dumps(manifest | {"name": copy.name}))


def memory(server, folder):
    """Returns the memory of the server when it is ready, in kB, by the names in smaps_rollup."""
    with dia_testing.Server("--default-model", "copy-0", models=folder, executable=server) as running:
        text = pathlib.Path(f"/proc/{running.process.pid}/smaps_rollup").read_text()
    return {name: int(value) for name, value in re.findall(r"^(\w+): +(\d+) kB", text, re.MULTILINE)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--server", default=dia_testing.EXECUTABLE, help="the server executable to measure")
    parser.add_argument("--models", nargs="+", default=["phantom", "breast", "pneumonia"], help="names of models in Models")
    parser.add_argument("--copies", nargs="+", type=int, default=[40], help="number of copies loaded at once")
    arguments = parser.parse_args()
    print("| model | copies | weights on disk | Rss per model | Pss per model | server with one model |")
    print("|---|---|---|---|---|---|")
    for name in arguments.models:
        model = ROOT / "Models" / name
        size = sum(path.stat().st_size for path in model.glob("*.safetensors")) / 1e6
        figures = {}
        for count in sorted({1, *arguments.copies}):
            with tempfile.TemporaryDirectory() as folder:
                copies(model, count, pathlib.Path(folder))
                figures[count] = memory(arguments.server, folder)
        for count in sorted(figures.keys() - {1}):
            rss, pss = (
                (figures[count][key] - figures[1][key]) * 1024 / 1e6 / (count - 1) for key in ("Rss", "Pss")
            )
            first = figures[1]["Rss"] * 1024 / 1e6
            print(f"| {name} | {count} | {size:.1f} MB | {rss:.2f} MB | {pss:.2f} MB | {first:.1f} MB |", flush=True)


if __name__ == "__main__":
    main()
