"""Cost of training, similarity and clustering against the size of the ensemble, of its networks and of the data.

``python -m benchmarks.scaling`` measures it on one thread into docs/scaling.csv, and ``benchmarks.scaling_figure``
draws that. Times are medians of rounds in which all sizes take their turn.
"""

import csv
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import torch

from benchmarks import clustering
from benchmarks.rounds import take_turns
from benchmarks.training import ensemble_epoch
from unit_clusters.clusters.restarts import restarts
from unit_clusters.clusters.search import cluster
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.data.images import Images
from unit_clusters_paper.networks.ensemble import initialize
from unit_clusters_paper.networks.similarity import similarity

TABLE = Path("docs/scaling.csv")
ROUNDS = 3  # the first also compiles and warms up, and so is hardly ever the median


class Size(NamedTuple):
    """How much there is to do."""

    models: int
    units: int
    layers: int
    images: int
    """For training, those of an epoch; clustering takes none."""

    @property
    def sizes(self) -> tuple[int, ...]:
        return 784, *[self.units] * self.layers, 10


def training(size: Size, pixels: torch.Tensor) -> Callable[[], object]:
    """One epoch of an ensemble."""
    images = Images(pixels, torch.arange(len(pixels)) % 10, torch.float32)
    return ensemble_epoch(size.models, size.sizes, images, size.images)


def similarities(size: Size, pixels: torch.Tensor) -> Callable[[], object]:
    """The four matrices of all hidden layers, one network after another."""
    ensemble = initialize(size.sizes, range(size.models))
    return lambda: [similarity(ensemble[model : model + 1], pixels[: size.images]) for model in range(size.models)]


def clusterings(size: Size, pixels: torch.Tensor) -> Callable[[], object]:
    """The clusters of all eight measures in all hidden layers, with restarts, one matrix after another."""
    matrices = [clustering.similarity(size.units, form.normalized, seed) for seed, form in enumerate(FORMS)]

    def work():
        for number in range(size.models * size.layers):
            for form, matrix in enumerate(matrices):
                rngs = [np.random.default_rng((number, form, search)) for search in range(1 + clustering.RESTARTS)]
                found = cluster(matrix, rngs[0], clustering.STEPS)
                restarts(matrix, found, rngs[1:], clustering.STEPS)

    return work


UNITS, LAYERS, IMAGES = (16, 32, 64, 128, 256, 512), (1, 2, 4, 8), (1000, 3000, 9000, 27000)
SWEEPS = {
    "training": (
        *(training, Size(9, 64, 2, 3000)),
        {"models": (1, 3, 9, 27, 81), "units": UNITS, "layers": LAYERS, "images": IMAGES},
    ),
    "training, 256 units": (training, Size(3, 256, 2, 3000), {"models": (1, 3, 9, 27)}),
    "similarity": (
        *(similarities, Size(1, 64, 2, 1000)),
        {"models": (1, 3, 9), "units": UNITS, "layers": LAYERS, "images": IMAGES},
    ),
    "clustering": (clusterings, Size(1, 64, 2, 0), {"models": (1, 3, 9), "units": UNITS, "layers": LAYERS}),
}
"""For each kind of work: what does it, a size to start from, and what is varied from there, one thing at a time."""


def measure() -> list[dict]:
    """A row for each kind of work and size, with the seconds for all its networks."""
    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (54_000, 784), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows, contestants = [], {}
    for name, (work, start, axes) in SWEEPS.items():
        for varied, values in axes.items():
            for size in (start._replace(**{varied: value}) for value in values):
                rows.append({"work": name, "varied": varied, **size._asdict()})
                contestants[str(rows[-1])] = work(size, pixels)
    times = take_turns(contestants, ROUNDS)
    return [row | {"seconds": f"{median(times[str(row)]):.4g}"} for row in rows]


def main() -> None:
    rows = measure()
    with TABLE.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
