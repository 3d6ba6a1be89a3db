"""Speed of training: an ensemble against a plain loop over one network, and against this machine's matrix products.

Run as ``python -m benchmarks.training``. All rates are medians of rounds in which every contestant takes its turn.
"""

import statistics
import sys
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from benchmarks.rounds import take_turns
from unit_clusters.evaluation import Images
from unit_clusters.network import initialize
from unit_clusters.training import Adam, Course, Run, Settings, train_epoch

CASES = {
    "9 of (64, 64)": (9, (784, 64, 64, 10), 0.45),
    "3 of (256, 256)": (3, (784, 256, 256, 10), 0.60),
    "3 of 5 x 64": (3, (784, 64, 64, 64, 64, 64, 10), None),
}
"""Networks in the ensemble, their layers, and the least share of the large-product rate that is asked for."""

BATCH, BATCHES, ROUNDS, SGEMM = 200, 60, 7, 2048


def operations(sizes: tuple[int, ...]) -> int:
    """Floating-point operations to train on one image, in matrix products.

    Each weight takes two for the forward pass, two for its own gradient, and, but for the first layer, two for the
    gradient of its inputs.
    """
    first, *others = (inputs * outputs for inputs, outputs in pairwise(sizes))
    return 4 * first + 6 * sum(others)


def ensemble_epoch(
    models: int, sizes: tuple[int, ...], images: Images, number: int = BATCH * BATCHES
) -> Callable[[], object]:
    """An epoch of so many of the images."""
    ensemble = initialize(sizes, range(models))
    courses = [Course(Run(f"benchmark/{model}", 0.0, 1e-5, 0.0), Settings()) for model in range(models)]
    index = torch.stack([torch.randperm(len(images))[:number] for _ in range(models)])
    adam = Adam(ensemble.parameters)
    return lambda: train_epoch(ensemble, images, index, courses, adam, BATCH)


def plain_epoch(sizes: tuple[int, ...], images: Images) -> Callable[[], object]:
    """What one would write for one network, with the data in memory and no DataLoader."""
    ensemble = initialize(sizes, [0])
    layers = []
    for weight, bias in zip(ensemble.weights, ensemble.biases, strict=True):
        linear = torch.nn.Linear(weight.shape[2], weight.shape[1])
        linear.weight.data, linear.bias.data = weight[0].clone(), bias[0].clone()
        layers += [linear, torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(model.parameters())
    pixels = images.pixels.float() / 255

    def epoch():
        for batch in torch.randperm(len(images))[: BATCH * BATCHES].split(BATCH):
            optimizer.zero_grad()
            loss = cross_entropy(model(pixels[batch]), images.labels[batch])
            penalty = sum(parameter.square().sum() for parameter in model.parameters() if parameter.ndim == 2)
            (loss + 1e-5 * penalty).backward()
            optimizer.step()

    return epoch


def measure() -> list[dict]:
    torch.set_num_threads(1)
    random = np.random.default_rng(0)
    pixels = torch.from_numpy(random.integers(0, 256, (54_000, 784), dtype=np.uint8))
    images = Images(pixels, torch.from_numpy(random.integers(0, 10, 54_000)), torch.float32)
    square = torch.rand(SGEMM, SGEMM)
    rows = []
    for name, (models, sizes, asked) in CASES.items():
        contestants = {
            "sgemm": lambda: square @ square,
            "ensemble": ensemble_epoch(models, sizes, images),
            "plain": plain_epoch(sizes, images),
        }
        for work in contestants.values():
            work()
        times = take_turns(contestants, ROUNDS)
        rate = models * BATCH * BATCHES * operations(sizes) / np.array(times["ensemble"])
        share = np.median(rate / (2 * SGEMM**3 / np.array(times["sgemm"])))
        ratio = np.median(models * np.array(times["plain"]) / np.array(times["ensemble"]))
        rows.append(
            {
                "networks": name,
                "GFLOP/s": statistics.median(rate) / 1e9,
                "share of sgemm": float(share),
                "asked": asked,
                "plain / ensemble": float(ratio),
            }
        )
    return rows


def main() -> int:
    rows = measure()
    print(f"{'ensemble':>16} {'GFLOP/s':>9} {'share of sgemm':>15} {'asked':>6} {'plain / ensemble':>17}")
    for row in rows:
        asked = "" if row["asked"] is None else f"{row['asked']:.2f}"
        print(
            f"{row['networks']:>16} {row['GFLOP/s']:9.1f} {row['share of sgemm']:15.2f} {asked:>6} "
            f"{row['plain / ensemble']:17.2f}"
        )
    return int(any(row["asked"] and row["share of sgemm"] < row["asked"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
