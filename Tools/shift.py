#!/usr/bin/env python3
"""What limits a MedMNIST set: whether its splits look alike, and what a classifier reaches that is told the labels.

    Tools/shift.py pneumoniamnist.npz --normal 0        needs PyTorch and NumPy; some minutes

Two questions to a small convolutional network, each with several seeds:
- Can it tell normal images of one split from normal images of another (five-fold cross-validation)? 0.5 is chance: the
  splits are exchangeable, and what holds on one holds on the other.
- Trained on all labels of the training split, the anomalous ones too, which AUROC does it reach on each other split?
Neither steers anything: the networks and settings are fixed here.
"""

import argparse
import statistics

import numpy as np
import torch
import torch.nn.functional as F


def auroc(scores, labels):
    """The share of pairs in the right order, ties half."""
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


def told_apart(a, b, seed):
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
        values = [told_apart(normal["train"], normal[other], seed) for seed in options.seeds]
        print(line(f"normal images of train told from those of {other}", values), flush=True)
    nets = [fit(images["train"], torch.from_numpy(anomalous["train"]).float(), 15, seed) for seed in options.seeds]
    for split in ("val", "test"):
        values = [auroc(scores(net, images[split]), anomalous[split]) for net in nets]
        print(line(f"a classifier told all labels of train, on {split}", values), flush=True)


if __name__ == "__main__":
    main()
