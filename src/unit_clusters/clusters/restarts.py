"""How far a single search is from the highest modularity: restarts, the Leiden algorithm, and a start from one cluster.

Algorithm 3 by itself, even restarted, often ends below what other algorithms find. So each restart here goes on from
there by an iterated tabu search.
"""

from random import Random
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import EQUAL, UNUSED, live_adjacency, modularity
from unit_clusters.clusters.search import (
    ENTROPY,
    Clustering,
    improve,
    iterated_tabu_search,
    random_partition,
    spectral_partition,
)

if TYPE_CHECKING:
    import igraph

DEALS = 20
"""How many times a restart deals two clusters anew."""

SHARE = 0.05
"""The share of matrices on which other searches are run (Fig. S5, right)."""

LEIDEN_RUNS = 20

FEW_STEPS = 1000
"""Monte Carlo steps from one cluster in Fig. S5, right."""


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


class OtherSearches(NamedTuple):
    """Modularity that other searches reach on one similarity matrix."""

    q_leiden: float
    """The best of LEIDEN_RUNS runs of the Leiden algorithm."""
    q_from_one_cluster: float
    """Algorithm 3 from a single cluster, FEW_STEPS steps."""
    q_from_one_cluster_full: float
    """The same with as many steps as the paper's run."""


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
    spectral = spectral_partition(adjacency) if found.size else None
    for number, rng in enumerate(rngs if found.size else []):
        start = random_partition(len(adjacency), rng) if number % 2 else spectral
        found[number] = iterated_tabu_search(adjacency, improve(adjacency, start, rng, steps, entropy), DEALS, rng)
    return found


def other_searches(
    similarity: Float[np.ndarray, "units units"],
    rng: np.random.Generator,
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> OtherSearches:
    """On a random SHARE of the matrices, what other searches reach; else NaN. Without live units every Q is 0.

    Args:
        similarity: as for `cluster`.
        rng: its first number decides whether the matrix is among them.
        steps: Monte Carlo steps of the paper's run.
        entropy: of each of these steps, in nats.

    Raises:
        ValueError: as `adjacency` does.
    """
    if rng.random() >= SHARE:
        return OtherSearches(*[float("nan")] * 3)
    weights, live = live_adjacency(similarity)
    if not live.any():
        return OtherSearches(0.0, 0.0, 0.0)
    graph = leiden_graph(weights)
    one = np.zeros(len(weights), dtype=np.int64)
    return OtherSearches(
        max(modularity(weights, leiden(graph, seed)) for seed in rng.integers(2**31, size=LEIDEN_RUNS).tolist()),
        *(modularity(weights, improve(weights, one, rng, number, entropy)) for number in (FEW_STEPS, steps)),
    )


def leiden_graph(adjacency: Float[np.ndarray, "units units"]) -> "igraph.Graph":
    """The weighted graph of A~ for `leiden`."""
    import igraph  # here and below, not above: it takes 0.4 s, and few matrices need it

    ends = np.nonzero(np.triu(adjacency, k=1))  # igraph.Graph.Weighted_Adjacency takes 0.3 s to import pandas
    return igraph.Graph(len(adjacency), np.column_stack(ends).tolist(), edge_attrs={"weight": adjacency[ends]})


def leiden(graph: "igraph.Graph", seed: int, iterations: int = 2) -> Int[np.ndarray, " units"]:
    """Labels of one run of the Leiden algorithm for modularity (Traag et al. 2019).

    With -1 iterations it runs until none improves. It is igraph's own: on graphs as dense as these, leidenalg, which
    finds as high a Q, takes 16 to 30 times as long.
    """
    import igraph

    igraph.set_random_number_generator(Random(seed))
    return np.array(graph.community_leiden("modularity", weights="weight", n_iterations=iterations).membership)
