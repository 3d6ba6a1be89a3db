"""How far a single search is from the highest modularity: restarts, the Leiden algorithm, and a start from one cluster.

Algorithm 3 by itself, even restarted, often ends below what other algorithms find. So each restart here goes on from
there by an iterated tabu search.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.modularity import (
    improve,
    iterated_tabu_search,
    live_adjacency,
    modularity,
    random_partition,
    spectral_partition,
)

if TYPE_CHECKING:
    import igraph

DEALS = 20
"""How many times a restart deals two clusters anew."""

TOLERANCE = 1e-9
"""Partitions whose Q differ by no more than this count as equally good."""

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
    """Standard deviation of the restarts' Q."""
    best_restarts: float
    """How many restarts end within TOLERANCE of q_best; NaN if there were none."""


class OtherSearches(NamedTuple):
    """Modularity that other searches reach on one similarity matrix."""

    q_leiden: float
    """The best of LEIDEN_RUNS runs of the Leiden algorithm."""
    q_from_one_cluster: float
    """Algorithm 3 from a single cluster, FEW_STEPS steps."""
    q_from_one_cluster_full: float
    """The same with as many steps as the paper's run."""


def restarts(
    similarity: Float[np.ndarray, "units units"], q: float, rngs: list[np.random.Generator], steps: int = 5000
) -> Restarts:
    """Search anew, once with each random stream, alternately from the spectral and from a random partition.

    All NaN without streams. Without live units every Q is 0.

    Args:
        similarity: as for `cluster`.
        q: modularity of the paper's single run.
        rngs: one for each restart.
        steps: Monte Carlo steps of each restart, before its tabu search.

    Raises:
        ValueError: as `adjacency` does.
    """
    if not rngs:
        return Restarts(*[float("nan")] * 3)
    weights, live = live_adjacency(similarity)
    if not live.any():
        return Restarts(0.0, 0.0, len(rngs))
    spectral = spectral_partition(weights)
    found = []
    for number, rng in enumerate(rngs):
        start = random_partition(len(weights), rng) if number % 2 else spectral
        labels = iterated_tabu_search(weights, improve(weights, start, rng, steps), DEALS, rng)
        found.append(modularity(weights, labels))
    best = max(q, *found)
    return Restarts(best, float(np.std(found)), int(np.sum(np.array(found) >= best - TOLERANCE)))


def other_searches(
    similarity: Float[np.ndarray, "units units"], rng: np.random.Generator, steps: int = 5000
) -> OtherSearches:
    """On a random SHARE of the matrices, what other searches reach; else NaN. Without live units every Q is 0.

    Args:
        similarity: as for `cluster`.
        rng: its first number decides whether the matrix is among them.
        steps: Monte Carlo steps of the paper's run.

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
        max(modularity(weights, leiden(graph, seed)) for seed in rng.integers(2**31, size=LEIDEN_RUNS)),
        *(modularity(weights, improve(weights, one, rng, number)) for number in (FEW_STEPS, steps)),
    )


def leiden_graph(adjacency: Float[np.ndarray, "units units"]) -> "igraph.Graph":
    """The weighted graph of A~ for `leiden`."""
    import igraph  # here and below, not above: it takes 0.4 s, and few matrices need it

    return igraph.Graph.Weighted_Adjacency(adjacency, mode="undirected")


def leiden(graph: "igraph.Graph", seed: int, iterations: int = 2) -> Int[np.ndarray, " units"]:
    """Labels of one run of the Leiden algorithm for modularity (Traag et al. 2019).

    By default it runs as long as leidenalg's own default; with -1 iterations, until none improves.
    """
    import leidenalg

    partition = leidenalg.find_partition(
        graph, leidenalg.ModularityVertexPartition, weights="weight", n_iterations=iterations, seed=int(seed)
    )
    return np.array(partition.membership)
