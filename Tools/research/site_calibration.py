#!/usr/bin/env python3
"""Shows what a calibration with a site's own normal images is worth, from the scores of a test split.

Half of the normal images, drawn at random, set the threshold; the other half and all anomalous images are classified.
This is repeated, and the mean and the range of 95% of the repetitions are printed. The input is the scores.csv of
`dia-train evaluate`. Only numbers are read, so nothing is trained or chosen.
"""

import argparse
import csv
import random


def threshold(normality, alpha):
    """The threshold of the server for these calibration values: index floor(alpha (n + 1)) - 1, ascending."""
    index = int(alpha * (len(normality) + 1)) - 1
    if index < 0:
        raise SystemExit(f"{len(normality)} calibration images are too few for alpha {alpha}")
    return sorted(normality)[index]


def summary(values):
    ordered = sorted(values)
    low, high = ordered[int(0.025 * len(ordered))], ordered[int(0.975 * len(ordered)) - 1]
    return f"{sum(values) / len(values):.3f} ({low:.3f} to {high:.3f})"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scores", help="scores.csv of an evaluation")
    parser.add_argument("--normal", required=True, help="the label of normal images")
    parser.add_argument("--alpha", type=float, default=0.05, help="target false-positive rate (default: 0.05)")
    parser.add_argument("--splits", type=int, default=100, help="number of repetitions (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="random seed (default: 0)")
    options = parser.parse_args()
    with open(options.scores, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    normal = [float(row["normality"]) for row in rows if row["label"] == options.normal]
    anomalous = [float(row["normality"]) for row in rows if row["label"] != options.normal]
    if not normal or not anomalous:
        raise SystemExit(f"{options.scores} has {len(normal)} normal and {len(anomalous)} anomalous images")
    generator = random.Random(options.seed)
    rates, sensitivities = [], []
    for _ in range(options.splits):
        generator.shuffle(normal)
        half = len(normal) // 2
        limit = threshold(normal[:half], options.alpha)
        rates.append(sum(value < limit for value in normal[half:]) / (len(normal) - half))
        sensitivities.append(sum(value < limit for value in anomalous) / len(anomalous))
    print(f"{len(normal)} normal images, half for calibration, {options.splits} splits; {len(anomalous)} anomalous images")
    print(f"false-positive rate {summary(rates)} at alpha {options.alpha}")
    print(f"sensitivity {summary(sensitivities)}")


if __name__ == "__main__":
    main()
