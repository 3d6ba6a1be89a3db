"""Speed of the similarities of all hidden layers: closed form against batched automatic differentiation.

The peer is torch.func under vmap, 100 images at a time, as one would write it for any network. Run as
``python -m benchmarks.similarity``. Times are medians of rounds in which both take their turn.
"""

import statistics
import sys
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.func import hessian, jacrev, vmap
from torch.nn.functional import cross_entropy

from benchmarks.naive_similarity import halves
from benchmarks.rounds import take_turns
from unit_clusters_paper.networks.ensemble import Ensemble, initialize
from unit_clusters_paper.networks.similarity import similarity

CASES = {"(64, 64)": ((784, 64, 64, 10), 15.0), "5 x 64": ((784, 64, 64, 64, 64, 64, 10), None)}
"""Layers, and the least ratio that is asked for."""

IMAGES, BATCH, ROUNDS = 1000, 100, 3


def closed_form(network: Ensemble, pixels: Tensor) -> list[tuple[np.ndarray, ...]]:
    return [tuple(layer.signed.values()) for layer in similarity(network, pixels)]


def automatic(network: Ensemble, pixels: Tensor) -> list[tuple[Tensor, ...]]:
    """Equations (1) to (4) by automatic differentiation."""
    return [automatic_layer(network, layer, pixels) for layer in range(1, len(network.weights))]


def automatic_layer(network: Ensemble, layer: int, pixels: Tensor) -> tuple[Tensor, ...]:
    upstream, downstream = halves(network, layer)
    label = torch.tensor(0)  # the Hessian does not depend on it

    activity, sums = [], [0, 0, 0]
    for images in (pixels.float() / 255).split(BATCH):
        activity.append(vmap(upstream)(images))
        by_input = vmap(jacrev(upstream))(images)
        by_hidden = vmap(jacrev(downstream))(activity[-1])
        second = vmap(hessian(lambda h: cross_entropy(downstream(h), label)))(activity[-1])
        sums[0] += (by_input @ by_input.mT).sum(0)
        sums[1] += (by_hidden.mT @ by_hidden).sum(0)
        sums[2] += second.sum(0)
    return torch.cov(torch.cat(activity).T), *(total / len(pixels) for total in sums)


def measure() -> list[dict]:
    torch.set_num_threads(1)
    pixels = torch.randint(0, 256, (IMAGES, 784), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    rows = []
    for name, (sizes, asked) in CASES.items():
        network = initialize(sizes, [0])
        contestants = {work.__name__: partial(work, network, pixels) for work in (closed_form, automatic)}
        results = [work() for work in contestants.values()]  # warm, and to be compared
        for ours, peers in zip(*results, strict=True):
            for matrix, peer in zip(ours, peers, strict=True):
                np.testing.assert_allclose(matrix, peer, rtol=1e-3, atol=1e-4 * peer.max().item())
        times = take_turns(contestants, ROUNDS)
        ratio = statistics.median(b / a for a, b in zip(*times.values(), strict=True))
        rows.append(
            {"network": name, "seconds": statistics.median(times["closed_form"]), "asked": asked, "ratio": ratio}
        )
    return rows


def main() -> int:
    rows = measure()
    print(f"{'network':>10} {f's / {IMAGES} images':>16} {'automatic / closed form':>24} {'asked':>6}")
    for row in rows:
        asked = "" if row["asked"] is None else f"{row['asked']:.0f}"
        print(f"{row['network']:>10} {row['seconds']:16.3f} {row['ratio']:24.1f} {asked:>6}")
    return int(any(row["asked"] and row["ratio"] < row["asked"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
