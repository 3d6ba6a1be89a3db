"""What other searches than the paper's reach on some of the matrices (Fig. S5, right)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import live_adjacency, modularity
from unit_clusters.clusters.search import ENTROPY, improve
from unit_clusters.clusters.soft import soft_gain

SHARE = 0.05
"""The share of matrices on which other searches are run (Fig. S5, right)."""

LEIDEN_RUNS = 20

FEW_STEPS = 1000
"""Monte Carlo steps from one cluster in Fig. S5, right."""


class OtherSearches(NamedTuple):
    """Modularity that other searches reach on one similarity matrix."""

    q_leiden: float
    """The best of LEIDEN_RUNS runs of the Leiden algorithm."""
    q_from_one_cluster: float
    """Algorithm 3 from a single cluster, FEW_STEPS steps."""
    q_from_one_cluster_full: float
    """The same with as many steps as the paper's run."""
    soft_gain: float
    """What Q of the best clusters that are known gains by soft ones."""


def other_searches(
    similarity: Float[np.ndarray, "units units"],
    best: Int[np.ndarray, " units"],
    rng: np.random.Generator,
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> OtherSearches:
    """On a random SHARE of the matrices, what other searches reach; else NaN. Without live units every Q is 0.

    Args:
        similarity: as for `cluster`.
        best: the best clusters that are known.
        rng: its first number decides whether the matrix is among them.
        steps: Monte Carlo steps of the paper's run.
        entropy: of each of these steps, in nats.

    Raises:
        ValueError: as `adjacency` does.
    """
    if rng.random() >= SHARE:
        return OtherSearches(*[float("nan")] * 4)
    weights, live = live_adjacency(similarity)
    if not live.any():
        return OtherSearches(0.0, 0.0, 0.0, 0.0)
    from unit_clusters.clusters.leiden import leiden, leiden_graph  # here: igraph takes 0.4 s, and few matrices need it

    graph = leiden_graph(weights)
    one = np.zeros(len(weights), dtype=np.int64)
    return OtherSearches(
        max(modularity(weights, leiden(graph, seed)) for seed in rng.integers(2**31, size=LEIDEN_RUNS).tolist()),
        *(modularity(weights, improve(weights, one, rng, number, entropy)) for number in (FEW_STEPS, steps)),
        soft_gain(similarity, best),
    )
