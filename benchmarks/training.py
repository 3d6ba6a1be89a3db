"""Speed of training, by both libraries of products, against large products, a plain loop, and its own first epoch.

Run as ``python -m benchmarks.training``, which fetches MNIST if it is not there. All rates are medians of rounds in
which every contestant takes its turn. They count the operations of all pixels, also of those that training leaves out
since they are 0 in all images of a batch. The share is that of the rate of one large product, by the library that is
faster at it. It fails if the library that is chosen for this processor is slower than the other, if a network that was
trained for 100 epochs takes longer for the next than a fresh one does, or if modularity as an aim costs too much.
"""

import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.rounds import take_turns
from unit_clusters_paper.data import fetch, idx
from unit_clusters_paper.data.images import Images, prepare
from unit_clusters_paper.networks import products
from unit_clusters_paper.networks.ensemble import Stack, initialize
from unit_clusters_paper.networks.modular import Modularity
from unit_clusters_paper.networks.training import Adam, Course, Run, Settings, train_epoch
from unit_clusters_paper.runs.aims import FAMILIES
from unit_clusters_paper.runs.processor import processor
from unit_clusters_paper.runs.threads import compute_with


class Case(NamedTuple):
    """An ensemble."""

    models: int
    sizes: tuple[int, ...]
    dropout: float

    def __str__(self) -> str:
        return f"{self.models} of {self.sizes[1:-1]}, dropout {self.dropout:g}"


NARROW, WIDE, DEEP = (784, 64, 64, 10), (784, 256, 256, 10), (784, 64, 64, 64, 64, 64, 10)
CASES = (
    Case(9, NARROW, 0.0),
    Case(9, NARROW, 0.3),
    Case(14, NARROW, 0.3),
    Case(1, NARROW, 0.0),
    Case(6, WIDE, 0.3),
    Case(6, DEEP, 0.3),
)
BASE = (Run("l2", 0, 0.0, 1e-2, 0.0), Run("l1", 0, 1e-3, 1e-5, 0.0), Run("dropout", 0, 0.0, 1e-5, 0.3))
"""Networks of Experiment 1, one of each sweep."""

AIMED = 8
"""Networks of Experiment 1 that are trained together with an aim, as in the preset `full`."""

AS_FAST, EPOCHS, AS_LONG, AIM_AS_LONG = 0.9, 100, 1.1, 1.5
"""The least rate that is asked for of the chosen library's, by that of the other; epochs of training, and the most time
that is allowed for the next one, by that of the first; and the most time for an epoch with an aim, by one without.
"""

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
    models: int, sizes: tuple[int, ...], images: Images, number: int = BATCH * BATCHES, dropout: float = 0.0
) -> Callable[[], object]:
    """An epoch of so many of the images."""
    runs = [Run(f"benchmark/{model}", 0, 0.0, 1e-5, dropout) for model in range(models)]
    return epoch_after(0, runs, sizes, images, number)


def epoch_after(
    epochs: int, runs: Sequence[Run], sizes: tuple[int, ...], images: Images, number: int = BATCH * BATCHES
) -> Callable[[], object]:
    """An epoch of so many of the images, of networks that were trained on all for `epochs`, as in Experiment 1."""
    stack = Stack.of(initialize(sizes, [0] * len(runs)))
    courses = [Course(run, Settings(schedule="constant")) for run in runs]
    aims = torch.tensor([(run.upstream, run.downstream) for run in runs])
    aim = Modularity(aims, [run.clusters for run in runs], sizes, 0) if aims.any() else None
    adam = Adam([stack.first, stack.rest, *([aim.theta] if aim else [])])
    for _ in range(epochs):
        train_epoch(stack, images, torch.randperm(len(images.labels)), courses, adam, BATCH, aim)
    index = torch.randperm(len(images.labels))[:number]
    return lambda: train_epoch(stack, images, index, courses, adam, BATCH, aim)


def by(library: str, work: Callable[[], object]) -> Callable[[], object]:
    """The work, with products by this library."""

    def with_it():
        with mock.patch.object(products, "library", return_value=library):
            work()

    return with_it


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


def measure(images: Images) -> list[dict]:
    """A row a case: microseconds a batch and network, and ratios."""
    square = np.random.default_rng(0).random((SGEMM, SGEMM), dtype=np.float32)
    chosen, other = sorted(("numpy", "torch"), key=lambda name: name != products.library())
    rows = []
    for case in CASES:
        contestants = {
            "large torch": lambda: torch.from_numpy(square) @ torch.from_numpy(square),
            "large numpy": lambda: square @ square,
            **{
                name: by(name, ensemble_epoch(case.models, case.sizes, images, dropout=case.dropout))
                for name in (chosen, other)
            },
            "plain": plain_epoch(case.sizes, images, case.dropout),
        }
        for work in contestants.values():
            work()
        times = {name: np.array(seconds) for name, seconds in take_turns(contestants, ROUNDS).items()}
        done = case.models * BATCH * BATCHES * operations(case.sizes)
        large = 2 * SGEMM**3 / np.minimum(times["large torch"], times["large numpy"])
        rows.append(
            {
                "case": case,
                "microseconds": 1e6 * np.median(times[chosen]) / case.models / BATCHES,
                **{name: np.median(done / times[name]) / 1e9 for name in ("numpy", "torch")},
                "chosen": np.median(times[other] / times[chosen]),
                "share": np.median(done / times[chosen] / large),
                "plain": np.median(case.models * times["plain"] / times[chosen]),
            }
        )
    return rows


def measure_long_training(images: Images) -> float:
    """An epoch after `EPOCHS` others, by one of fresh networks."""
    contestants = {epochs: epoch_after(epochs, BASE, NARROW, images) for epochs in (0, EPOCHS)}
    times = take_turns(contestants, 3 * ROUNDS)
    return float(np.median(np.array(times[EPOCHS]) / np.array(times[0])))


def measure_aims(images: Images) -> dict[str, float]:
    """An epoch with each aim, by one without."""
    runs = [Run(f"benchmark/{model}", 0, 0.0, 1e-5, 0.0) for model in range(AIMED)]
    contestants = {"none": epoch_after(0, runs, NARROW, images)}
    for name, families in FAMILIES.items():
        aimed = [run._replace(**dict.fromkeys(families, 0.1)) for run in runs]
        contestants[name] = epoch_after(0, aimed, NARROW, images)
    times = {name: np.array(seconds) for name, seconds in take_turns(contestants, 3 * ROUNDS).items()}
    return {name: float(np.median(times[name] / times["none"])) for name in FAMILIES}


def main() -> int:
    compute_with(1)
    images = mnist()
    rows = measure(images)
    print(f"Products by {products.library()}, on {processor()}. GFLOP/s of training, and ratios of rates:\n")
    print(
        f"{'ensemble':>38} {'us a batch':>11} {'numpy':>6} {'torch':>6} {'chosen / other':>15} "
        f"{'of large product':>17} {'of plain loop':>14}"
    )
    for row in rows:
        print(
            f"{row['case']!s:>38} {row['microseconds']:11.0f} {row['numpy']:6.1f} {row['torch']:6.1f} "
            f"{row['chosen']:15.2f} {row['share']:17.2f} {row['plain']:14.2f}"
        )
    longer = measure_long_training(images)
    print(f"\nAn epoch after {EPOCHS} epochs takes {longer:.2f} of the first one (at most {AS_LONG} is asked for).")
    aims = measure_aims(images)
    ratios = ", ".join(f"{name} {ratio:.2f}" for name, ratio in aims.items())
    print(f"An epoch with an aim, of one without (at most {AIM_AS_LONG} is asked for): {ratios}.")
    slower = any(row["chosen"] < AS_FAST for row in rows)
    return int(slower or longer > AS_LONG or max(aims.values()) > AIM_AS_LONG)


if __name__ == "__main__":
    sys.exit(main())
