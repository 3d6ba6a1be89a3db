"""A small data set of the form of MNIST, for tests."""

from pathlib import Path

import numpy as np

from unit_clusters.streams import stream
from unit_clusters_paper.data.idx import write_idx
from unit_clusters_paper.data.sources import SOURCES

CELLS = 7
"""A class's prototype has CELLS by CELLS cells."""


def write_synthetic(destination: Path, train: int, test: int, seed: int) -> None:
    """Write a data set of the form of MNIST that a small network learns in a few epochs.

    Each class has a prototype: 7 by 7 cells, a random quarter of them lit. Each image shows its class's
    prototype under noise. The classes are as even as the numbers of images allow.
    """
    (_, *size), classes = SOURCES["synthetic"].shape, SOURCES["synthetic"].classes
    cells = stream("synthetic", "prototypes", seed).random((classes, CELLS, CELLS)) < 0.25
    prototypes = np.kron(cells, np.ones([pixels // CELLS for pixels in size]))
    for part, count in (("train", train), ("t10k", test)):
        random = stream("synthetic", part, seed)
        labels = random.permutation(np.arange(count) % classes)
        images = 128 * prototypes[labels] + random.normal(0, 64, (count, *size))
        write_idx(destination / f"{part}-images-idx3-ubyte", images.clip(0, 255).astype(np.uint8))
        write_idx(destination / f"{part}-labels-idx1-ubyte", labels.astype(np.uint8))
