"""Speed of training: an ensemble against a plain loop over one network, and against large matrix products.

Run as ``python -m benchmarks.training``, which fetches MNIST if it is not there. All rates are medians of rounds in
which every contestant takes its turn. They count the operations of all pixels, also of those that training leaves out
since they are 0 in all images of a batch. Large products are torch's, and numpy's, which may be twice as fast.
"""

import statistics
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.rounds import take_turns
from unit_clusters_paper.data import fetch, idx
from unit_clusters_paper.data.images import Images, prepare
from unit_clusters_paper.networks.ensemble import Stack, initialize
from unit_clusters_paper.networks.modular import Modularity
from unit_clusters_paper.networks.training import Adam, Course, Run, Settings, train_epoch


class Case(NamedTuple):
    """An ensemble, and the least share that is asked for of the rate of torch's large products."""

    models: int
    sizes: tuple[int, ...]
    dropout: float
    asked: float | None

    def __str__(self) -> str:
        return f"{self.models} of {self.sizes[1:-1]}, dropout {self.dropout:g}"


NARROW, WIDE, DEEP = (784, 64, 64, 10), (784, 256, 256, 10), (784, 64, 64, 64, 64, 64, 10)
CASES = (
    Case(9, NARROW, 0.0, 0.70),
    Case(9, NARROW, 0.3, 0.60),
    Case(14, NARROW, 0.3, None),
    Case(1, NARROW, 0.0, None),
    Case(6, WIDE, 0.3, 0.60),
    Case(6, DEEP, 0.3, None),
)
BATCH, BATCHES, ROUNDS, SGEMM = 200, 60, 7, 2048
FOLDER = Path("data/mnist")


def operations(sizes: tuple[int, ...]) -> int:
    """Floating-point operations to train on one image, in matrix products.

    Each weight takes two for the forward pass, two for its own gradient, and, but for the first layer, two for the
    gradient of its inputs.
    """
    first, *others = (inputs * outputs for inputs, outputs in pairwise(sizes))
    return 4 * first + 6 * sum(others)


def ensemble_epoch(
    models: int,
    sizes: tuple[int, ...],
    images: Images,
    number: int = BATCH * BATCHES,
    dropout: float = 0.0,
    aim: float = 0.0,
) -> Callable[[], object]:
    """An epoch of so many of the images; the aim is a strength of modularity, upstream and downstream."""
    stack = Stack.of(initialize(sizes, [0] * models))
    courses = [Course(Run(f"benchmark/{model}", 0, 0.0, 1e-5, dropout), Settings()) for model in range(models)]
    index = torch.randperm(len(images.labels))[:number]
    modular = Modularity(torch.full((models, 2), aim), sizes, 0) if aim else None
    adam = Adam([stack.first, stack.rest, *([modular.theta] if modular else [])])
    return lambda: train_epoch(stack, images, index, courses, adam, BATCH, modular)


def plain_epoch(sizes: tuple[int, ...], images: Images, dropout: float = 0.0) -> Callable[[], object]:
    """What one would write for one network, with the data in memory and no DataLoader."""
    ensemble = initialize(sizes, [0])
    layers = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        linear = torch.nn.Linear(weight.shape[2], weight.shape[1])
        linear.weight.data, linear.bias.data = weight[0].clone(), bias[0].clone()
        layers += [linear, torch.nn.ReLU(), *([torch.nn.Dropout(dropout)] if dropout else [])]
    model = torch.nn.Sequential(*layers[: -2 if dropout else -1])
    optimizer = torch.optim.Adam(model.parameters())
    pixels = images.pixels.float() / 255

    def epoch():
        for batch in torch.randperm(len(images.labels))[: BATCH * BATCHES].split(BATCH):
            optimizer.zero_grad()
            loss = cross_entropy(model(pixels[batch]), images.labels[batch])
            penalty = sum(parameter.square().sum() for parameter in model.parameters() if parameter.ndim == 2)
            (loss + 1e-5 * penalty).backward()
            optimizer.step()

    return epoch


def mnist() -> Images:
    fetch.make("mnist", FOLDER)
    return prepare(idx.load(FOLDER), 0.1, torch.float32).training


def measure() -> list[dict]:
    torch.set_num_threads(1)
    images = mnist()
    square = np.random.default_rng(0).random((SGEMM, SGEMM), dtype=np.float32)
    rows = []
    for case in CASES:
        contestants = {
            "torch": lambda: torch.from_numpy(square) @ torch.from_numpy(square),
            "numpy": lambda: square @ square,
            "ensemble": ensemble_epoch(case.models, case.sizes, images, dropout=case.dropout),
            "plain": plain_epoch(case.sizes, images, case.dropout),
        }
        for work in contestants.values():
            work()
        times = take_turns(contestants, ROUNDS)
        rate = case.models * BATCH * BATCHES * operations(case.sizes) / np.array(times["ensemble"])
        rows.append(
            {
                "case": case,
                "microseconds": 1e6 * statistics.median(times["ensemble"]) / case.models / BATCHES,
                "GFLOP/s": statistics.median(rate) / 1e9,
                **{of: float(np.median(rate / (2 * SGEMM**3 / np.array(times[of])))) for of in ("torch", "numpy")},
                "ratio": float(np.median(case.models * np.array(times["plain"]) / np.array(times["ensemble"]))),
            }
        )
    return rows


def main() -> int:
    rows = measure()
    print(
        f"{'ensemble':>38} {'us a batch':>11} {'GFLOP/s':>8} {'of torch':>9} {'asked':>6} {'of numpy':>9} "
        f"{'plain / ensemble':>17}"
    )
    for row in rows:
        asked = "" if row["case"].asked is None else f"{row['case'].asked:.2f}"
        print(
            f"{row['case']!s:>38} {row['microseconds']:11.0f} {row['GFLOP/s']:8.1f} {row['torch']:9.2f} {asked:>6} "
            f"{row['numpy']:9.2f} {row['ratio']:17.2f}"
        )
    return int(any(row["case"].asked and row["torch"] < row["case"].asked for row in rows))


if __name__ == "__main__":
    sys.exit(main())
