"""One partition for two measures: how much of both modularities a single partition has (the paper's footnote 5)."""

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import ROUNDING, modularity
from unit_clusters.clusters.search import tabu_search


def one_partition(
    adjacency_a: Float[np.ndarray, "units units"],
    best_a: Int[np.ndarray, " units"],
    adjacency_b: Float[np.ndarray, "units units"],
    best_b: Int[np.ndarray, " units"],
) -> tuple[float, Int[np.ndarray, " units"]]:
    """The largest min(Q_a / Q*_a, Q_b / Q*_b) that is found over partitions, and that partition.

    The search is for the highest Q_a / Q*_a + Q_b / Q*_b, a modularity, too, of the matrix B_a / Q*_a + B_b / Q*_b; a
    tabu search from either measure's own clusters. From there single units move for as long as the smaller of the two
    shares rises.

    Args:
        adjacency_a: A~ of one measure.
        best_a: its best clusters that are known, of modularity Q*; dead units have a label of their own.
        adjacency_b, best_b: those of the other.

    Returns:
        The share, at most 1 but for what Q* misses of the highest modularity, and labels 0, 1, ...; the share is NaN if
        either Q* is 0, as without live units.
    """
    sides = ((adjacency_a, best_a), (adjacency_b, best_b))
    highest = [modularity(weights, labels) for weights, labels in sides]
    if min(highest) <= ROUNDING:
        return float("nan"), np.zeros(len(best_a), dtype=np.int64)
    shares = np.array([_off_diagonal(weights) / q for (weights, _), q in zip(sides, highest, strict=True)])
    starts = (np.unique(labels, return_inverse=True)[1] for _, labels in sides)
    no_degrees = np.zeros(len(best_a))  # they are in B already
    found = max((tabu_search(shares.sum(axis=0), no_degrees, start) for start in starts), key=lambda result: result[1])
    labels = _balanced(shares, found[0])
    return min(modularity(weights, labels) / q for (weights, _), q in zip(sides, highest, strict=True)), labels


def _off_diagonal(adjacency: Float[np.ndarray, "units units"]) -> Float[np.ndarray, "units units"]:
    """B of eq. (6), but for its diagonal, which all partitions have."""
    degrees = adjacency.sum(axis=1)
    b = adjacency - np.outer(degrees, degrees)
    np.fill_diagonal(b, 0)
    return b


def _balanced(
    shares: Float[np.ndarray, "2 units units"], labels: Int[np.ndarray, " units"]
) -> Int[np.ndarray, " units"]:
    """The labels after the moves of single units that raise the smaller share most, for as long as one does."""
    units = np.arange(len(labels))
    labels = np.unique(labels, return_inverse=True)[1]
    while True:
        members = np.eye(labels.max() + 2)[labels]  # and an empty cluster
        links = shares @ members
        now = links[:, units, labels]
        smaller = (now.sum(axis=1)[:, None, None] + 2 * (links - now[:, :, None])).min(axis=0)
        unit, target = np.unravel_index(smaller.argmax(), smaller.shape)
        if smaller[unit, target] <= now.sum(axis=1).min() + ROUNDING:
            return labels
        labels[unit] = target
        labels = np.unique(labels, return_inverse=True)[1]
