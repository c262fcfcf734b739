#!/usr/bin/env python3
"""Measures the limits of a MedMNIST data set: differences between its splits, and the AUROC of a supervised classifier.

    Tools/research/shift.py pneumoniamnist.npz --normal 0        requires PyTorch and NumPy; takes several minutes

A small convolutional network is trained for two tasks, each with several seeds:
- Distinguish the normal images of one split from those of another (five-fold cross-validation). An AUROC of 0.5 is
  chance: the splits are exchangeable, and results on one are valid for the other.
- Classify with all labels of the training split, including the anomalous ones. The AUROC is measured on the other splits.
The network and the settings are fixed. They are not tuned on any split.
"""

import argparse
import statistics

import numpy as np
import torch
import torch.nn.functional as F


def auroc(scores, labels):
    """Returns the fraction of correctly ordered pairs; ties count as half."""
    order = np.argsort(scores, kind="stable")
    ranks = np.empty(len(scores))
    for value in np.unique(scores):
        same = np.flatnonzero(scores[order] == value)
        ranks[order[same]] = same.mean() + 1
    positive = labels.astype(bool)
    n = positive.sum()
    return (ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(labels) - n))


def network():
    layers, channels = [], 1
    for width in (16, 32, 64):
        layers += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.BatchNorm2d(width), torch.nn.ReLU(),
                   torch.nn.MaxPool2d(2)]
        channels = width
    return torch.nn.Sequential(*layers, torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 1))


def fit(images, labels, epochs, seed):
    torch.manual_seed(seed)
    net = network()
    optimizer = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-2)
    steps = epochs * ((len(images) + 63) // 64)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        order = torch.randperm(len(images))
        for start in range(0, len(order), 64):
            index = order[start : start + 64]
            loss = F.binary_cross_entropy_with_logits(net(images[index])[:, 0], labels[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()


def scores(net, images):
    with torch.no_grad():
        return net(images)[:, 0].numpy()


def split_auroc(a, b, seed):
    images = torch.cat([a, b])
    labels = torch.cat([torch.zeros(len(a)), torch.ones(len(b))])
    folds = np.random.default_rng(seed).permutation(len(images)) % 5
    result = np.empty(len(images))
    for fold in range(5):
        inside = torch.from_numpy(folds != fold)
        net = fit(images[inside], labels[inside], 12, seed)
        result[folds == fold] = scores(net, images[~inside])
    return auroc(result, labels.numpy())


def line(name, values):
    return f"| {name} | {statistics.mean(values):.3f} | " + ", ".join(f"{value:.3f}" for value in values) + " |"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--normal", type=int, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    data = np.load(options.data)
    images, anomalous = {}, {}
    for split in ("train", "val", "test"):
        images[split] = torch.from_numpy(data[f"{split}_images"]).float()[:, None] / 255
        anomalous[split] = data[f"{split}_labels"].reshape(-1) != options.normal
    normal = {split: images[split][torch.from_numpy(~anomalous[split])] for split in images}
    print("| AUROC | mean | each seed |\n| --- | --- | --- |")
    for other in ("val", "test"):
        values = [split_auroc(normal["train"], normal[other], seed) for seed in options.seeds]
        print(line(f"normal images of train vs. those of {other}", values), flush=True)
    nets = [fit(images["train"], torch.from_numpy(anomalous["train"]).float(), 15, seed) for seed in options.seeds]
    for split in ("val", "test"):
        values = [auroc(scores(net, images[split]), anomalous[split]) for net in nets]
        print(line(f"classifier trained on all labels of train, on {split}", values), flush=True)


if __name__ == "__main__":
    main()
