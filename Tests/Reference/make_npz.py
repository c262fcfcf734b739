"""Writes .npz files of all supported types, and invalid ones, with NumPy, for Tests/TrainingTests/ArrayTests.swift.

The fixtures are committed. To write them again:

    python3 Tests/Reference/make_npz.py Tests/TrainingTests/Data/Arrays
"""

import pathlib
import sys

import numpy as np

# Two images of 2 x 3 pixels, the same in all valid files: 0, 20, ..., 220.
BYTES = (np.arange(12) * 20).astype(np.uint8).reshape(2, 2, 3)
LABELS = np.array([0, 1], np.uint8)


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)

    def save(name, images, labels=LABELS, **others):
        np.savez(folder / f"{name}.npz", train_images=images, train_labels=labels, **others)

    unit = BYTES / 255
    save("fortran", np.asfortranarray(BYTES))
    save("channel", BYTES[..., None])
    save("float16", unit.astype(np.float16))
    save("float32", unit.astype(np.float32))
    save("float64-fortran", np.asfortranarray(unit))
    save("float32-to-255", BYTES.astype(np.float32))
    # The range of a file is that of all its splits: these images alone would be in 0 to 1.
    save("float32-other-split", (BYTES > 200).astype(np.float32), test_images=BYTES.astype(np.float32), test_labels=LABELS)
    save("uint16", BYTES.astype(np.uint16) * 257)
    save("uint16-big-endian", (BYTES.astype(np.uint16) * 257).astype(">u2"))
    save("int64", BYTES.astype(np.int64))
    save("labels-column", BYTES, LABELS[:, None].astype(np.int64))
    save("labels-unicode", BYTES, np.array(["gesund", "krank ä"]))
    save("labels-bytes", BYTES, np.array([b"gesund", b"krank"]))
    save("labels-float", BYTES, np.array([0.0, 1.0]))
    save("labels-bool", BYTES, np.array([False, True]))
    save("bad-nan", np.where(BYTES == 40, np.nan, unit).astype(np.float32))
    save("bad-negative", unit.astype(np.float32) - 0.1)
    save("bad-float-range", BYTES.astype(np.float32) * 100)
    save("bad-int-range", BYTES.astype(np.int32) * 1000)
    save("bad-object-labels", BYTES, np.array(["a", None], object))
    save("bad-label-shape", BYTES, np.array([[0, 1], [1, 0]]))
    save("bad-fraction-labels", BYTES, np.array([0.5, 1.0]))
    save("bad-label-count", BYTES, np.array([0, 1, 1]))


if __name__ == "__main__":
    main()
