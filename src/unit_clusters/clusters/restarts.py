"""How far a single search is from the highest modularity: restarts.

Algorithm 3 by itself, even restarted, often ends below what other algorithms find. So each restart here goes on from
there by an iterated tabu search.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import EQUAL, UNUSED, live_adjacency, modularity
from unit_clusters.clusters.search import (
    ENTROPY,
    Clustering,
    degrees_of,
    improve,
    iterated_tabu_search,
    random_partition,
    spectral_partition,
)

DEALS = 20
"""How many times a restart deals two clusters anew."""


class Restarts(NamedTuple):
    """What restarts find on one similarity matrix."""

    q_best: float
    """The highest Q of all restarts and of the paper's single run."""
    q_spread: float
    """Standard deviation of the restarts' Q; NaN if there were none."""
    best_restarts: float
    """How many restarts end within EQUAL of q_best; NaN if there were none."""


class BestPartitions(NamedTuple):
    """The clusters of the highest Q that were found on one similarity matrix, in no order; UNUSED for dead units."""

    best: Int[np.ndarray, " units"]
    """Among all restarts and the paper's single run."""
    halves: Int[np.ndarray, "2 units"]
    """Among the first half of the restarts, and among the others; all UNUSED with fewer than two restarts."""


def restarts(
    similarity: Float[np.ndarray, "units units"],
    single: Clustering,
    rngs: list[np.random.Generator],
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> tuple[Restarts, BestPartitions]:
    """Search anew, once with each random stream, alternately from the spectral and from a random partition.

    Without live units every Q is 0. Of partitions of equal Q, the first that was found is the best, the paper's run
    before all restarts.

    Args:
        similarity: as for `cluster`.
        single: the paper's single run.
        rngs: one for each restart.
        steps: Monte Carlo steps of each restart, before its tabu search.
        entropy: of each of these steps, in nats.

    Raises:
        ValueError: as `adjacency` does.
    """
    weights, live = live_adjacency(similarity)
    found = _partitions(weights, rngs, steps, entropy)
    q = [modularity(weights, labels) for labels in found]
    best = max([single.q, *q])
    numbers = Restarts(
        q_best=best,
        q_spread=float(np.std(q)) if q else float("nan"),
        best_restarts=int(np.sum(np.array(q) >= best - EQUAL)) if q else float("nan"),
    )
    partitions = BestPartitions(single.labels.copy(), np.full((2, len(live)), UNUSED))
    if best > single.q:
        partitions.best[live] = found[np.argmax(q)]
    if len(q) > 1:
        half = len(q) // 2
        partitions.halves[:, live] = found[[np.argmax(q[:half]), half + np.argmax(q[half:])]]
    return numbers, partitions


def _partitions(
    adjacency: Float[np.ndarray, "live live"], rngs: list[np.random.Generator], steps: int, entropy: float
) -> Int[np.ndarray, "restarts live"]:
    """Where each restart ends; the first, third, ... start from the spectral partition."""
    found = np.empty((len(rngs), len(adjacency)), dtype=int)
    degrees, spectral = (degrees_of(adjacency), spectral_partition(adjacency)) if found.size else (None, None)
    for number, rng in enumerate(rngs if found.size else []):
        start = random_partition(len(adjacency), rng) if number % 2 else spectral
        moved = improve(adjacency, start, rng, steps, entropy)
        found[number] = iterated_tabu_search(adjacency, degrees, moved, DEALS, rng)
    return found
