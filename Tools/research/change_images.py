#!/usr/bin/env python3
"""Writes a MedMNIST file with changed validation images that simulate another hospital or device. Use it to choose
settings when the original validation split is too easy, and the test split must not be used.

    Tools/research/change_images.py pneumoniamnist.npz changed.npz [--only geometry | exposure | detector] [--bank COPIES]

Each validation image is written twice, with different random changes: zoom (12%), rotation (8 degrees) and translation
(2 pixels); gamma, contrast and brightness; blur and noise. --bank adds changed copies of the normal training images
(label 0, or --normal) to the training split, for a bank with such changes. The test split is not written. Requires
NumPy and Pillow.
"""

import argparse

import numpy as np
from PIL import Image, ImageFilter

BORDER = 6


def geometry(image, generator):
    side = image.shape[0]
    scale = 1 + generator.uniform(-0.12, 0.12)
    angle = np.deg2rad(generator.uniform(-8, 8))
    across, down = generator.uniform(-2, 2, 2)
    middle = BORDER + (side - 1) / 2
    cosine, sine = np.cos(angle) / scale, np.sin(angle) / scale
    wide = Image.fromarray(np.pad(image, BORDER, mode="edge"))
    matrix = (
        cosine, sine, middle - cosine * (middle + across) - sine * (middle + down),
        -sine, cosine, middle + sine * (middle + across) - cosine * (middle + down),
    )
    return np.array(wide.transform(wide.size, Image.AFFINE, matrix, Image.BICUBIC))[BORDER:-BORDER, BORDER:-BORDER]


def exposure(image, generator):
    x = (image / 255.0) ** np.exp(generator.uniform(-0.35, 0.35))
    x = (x - x.mean()) * generator.uniform(0.8, 1.2) + x.mean() + generator.uniform(-0.08, 0.08)
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


def detector(image, generator):
    blurred = np.array(Image.fromarray(image).filter(ImageFilter.GaussianBlur(generator.uniform(0, 0.6))))
    x = blurred / 255.0 + generator.normal(0, generator.uniform(0, 0.02), image.shape)
    return (np.clip(x, 0, 1) * 255).astype(np.uint8)


KINDS = {"geometry": geometry, "exposure": exposure, "detector": detector}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("out")
    parser.add_argument("--only", choices=KINDS)
    parser.add_argument("--normal", type=int, default=0)
    parser.add_argument("--bank", type=int, default=0, metavar="COPIES")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    data = np.load(options.data)
    changes = [KINDS[options.only]] if options.only else list(KINDS.values())

    def changed(images, generator):
        result = []
        for image in images:
            for change in changes:
                image = change(image, generator)
            result.append(image)
        return np.stack(result)

    generator = np.random.default_rng(options.seed)
    validation = np.concatenate([changed(data["val_images"], generator) for _ in range(2)])
    images, labels = data["train_images"], data["train_labels"].reshape(-1, 1)
    generator = np.random.default_rng(options.seed + 1)
    normal = images[labels[:, 0] == options.normal]
    for _ in range(options.bank):
        images = np.concatenate([images, changed(normal, generator)])
        labels = np.concatenate([labels, np.full((len(normal), 1), options.normal, labels.dtype)])
    np.savez(
        options.out, train_images=images, train_labels=labels, val_images=validation,
        val_labels=np.concatenate([data["val_labels"]] * 2),
    )


if __name__ == "__main__":
    main()
