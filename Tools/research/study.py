#!/usr/bin/env python3
"""Trains a recipe with several seeds and kinds of negatives, and writes a table of the results.

    Tools/research/study.py --recipe Models/pneumonia/recipe.json --data pneumoniamnist.npz --normal 0 \\
        --seeds 0 1 2 --negatives dissolved gaussian median none --out .build/studies/pneumonia

Stages whose output file exists are skipped, and interrupted stages are resumed, so the same command can be repeated.
The validation split is always evaluated. The test split is evaluated only with --final. Use --final once, after all
choices are made.
"""

import argparse
import json
import pathlib
import shutil
import statistics
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
TRAINER = ROOT / ".build/release/dia-train"


def trainer(command, options, *arguments):
    subprocess.run([TRAINER, command, "--data", options.data, "--normal", options.normal, *arguments], check=True)


def train(options, seed, negatives):
    """Trains and calibrates a model and returns its directory."""
    recipe = json.loads(options.recipe.read_text())
    recipe["seed"] = seed
    recipe["encoder"]["negatives"] = negatives
    folder = options.out / f"seed-{seed}" / negatives
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "recipe.json").write_text(json.dumps(recipe, indent=2) + "\n")
    if not (folder / "unet.safetensors").exists():
        # The U-Net does not depend on the negatives.
        other = next(options.out.glob(f"seed-{seed}/*/unet.safetensors"), None)
        if other:
            shutil.copy(other, folder)
        else:
            trainer("diffusion", options, "--out", folder)
    if not (folder / "encoder.safetensors").exists():
        trainer("encoder", options, "--out", folder)
    trainer("calibrate", options, "--out", folder)
    return folder


def evaluate(options, folder, split):
    trainer("evaluate", options, "--model", folder, "--split", split, "--out", folder / f"report-{split}")
    return json.loads((folder / f"report-{split}" / "report.json").read_text())


def row(name, values):
    spread = statistics.stdev(values) if len(values) > 1 else 0.0
    return f"| {name} | {statistics.mean(values):.3f} | {spread:.3f} | " + ", ".join(f"{v:.3f}" for v in values) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recipe", type=pathlib.Path, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--normal", required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    kinds = ["dissolved", "gaussian", "median", "none"]
    parser.add_argument("--negatives", nargs="+", choices=kinds, default=["dissolved"])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--final", action="store_true", help="also evaluate the test split")
    options = parser.parse_args()
    reports = {}
    for negatives in options.negatives:
        for seed in options.seeds:
            folder = train(options, seed, negatives)
            for split in ["validation"] + (["test"] if options.final else []):
                reports[negatives, seed, split] = evaluate(options, folder, split)
    lines = []
    for split in ["validation", "test"] if options.final else ["validation"]:
        lines += [f"AUROC, {split} split, seeds {', '.join(map(str, options.seeds))}:", ""]
        lines += ["| negatives, score | mean | deviation | each seed |", "| --- | --- | --- | --- |"]
        for negatives in options.negatives:
            found = [reports[negatives, seed, split] for seed in options.seeds]
            lines.append(row(f"{negatives}, {found[0]['method']}", [report["auroc"] for report in found]))
            for part in found[0]["auroc_by_part"]:
                lines.append(row(f"{negatives}, {part} alone", [report["auroc_by_part"][part] for report in found]))
        lines.append("")
    (options.out / "study.md").write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
