"""One partition for two measures: how much of both modularities a single partition has (the paper's footnote 5)."""

from operator import itemgetter
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int
from numba import njit

from unit_clusters.clusters.modularity import ROUNDING
from unit_clusters.clusters.search import tabu_search


class Side(NamedTuple):
    """A measure of one layer."""

    shares: Float[np.ndarray, "units units"]
    """B of eq. (6) by Q*, the modularity of the best clusters that are known; NaN if that is 0."""
    best: Int[np.ndarray, " units"]
    """These clusters, 0, 1, ..., with dead units in one of their own."""


def side(adjacency: Float[np.ndarray, "units units"], best: Int[np.ndarray, " units"]) -> Side:
    """A measure's A~ and its best clusters, for `one_partition`."""
    degrees = adjacency.sum(axis=1)
    b = adjacency - np.outer(degrees, degrees)
    q = np.sum(b, where=np.equal.outer(best, best))
    return Side(b / q if q > ROUNDING else np.full_like(b, np.nan), np.unique(best, return_inverse=True)[1])


def one_partition(a: Side, b: Side) -> tuple[float, Int[np.ndarray, " units"]]:
    """The largest min(Q_a / Q*_a, Q_b / Q*_b) that is found over partitions, and that partition.

    First the highest Q_a / Q*_a + Q_b / Q*_b is searched for, which is a modularity, too, of the matrix
    B_a / Q*_a + B_b / Q*_b: by a tabu search from the clusters of either measure. From what is found, from these
    clusters and from all units in one, single units move for as long as that raises the smaller of the two shares.

    Returns:
        The share, from 0 to 1 but for what Q* misses of the highest modularity, and labels. NaN if either Q* is 0, as
        without live units.
    """
    shares = np.stack((a.shares, b.shares))
    if np.isnan(shares).any():
        return float("nan"), np.zeros_like(a.best)
    starts = _highest_sum(shares, a.best, b.best), a.best, b.best, np.zeros_like(a.best)
    labels, share = max((_balanced(shares, start) for start in starts), key=itemgetter(1))
    return share, labels


def _highest_sum(
    shares: Float[np.ndarray, "2 units units"], *starts: Int[np.ndarray, " units"]
) -> Int[np.ndarray, " units"]:
    """The labels of the highest sum of shares that tabu searches find."""
    b = shares.sum(axis=0)
    np.fill_diagonal(b, 0)  # which all partitions have
    no_degrees = np.zeros(len(b))  # they are in B already
    return max((tabu_search(b, no_degrees, start) for start in starts), key=itemgetter(1))[0]


@njit(cache=True)
def _balanced(shares, labels):
    """The labels after the moves of single units that raise the smaller share most, for as long as one does.

    Args:
        shares: Float[np.ndarray, "2 units units"], of either side.
        labels: Int[np.ndarray, " units"], 0 to k - 1.

    Returns:
        The labels, and the smaller share.
    """
    labels, clusters = labels.copy(), labels.max() + 1
    links = np.zeros((2, len(labels) + 1, len(labels)))  # of each cluster to every unit, and of an empty one
    for unit in range(len(labels)):
        links[:, labels[unit]] += shares[:, unit]
    totals = np.zeros(2)
    for unit in range(len(labels)):
        totals += links[:, labels[unit], unit]
    while True:
        best, mover, goal = totals.min() + ROUNDING, -1, -1
        for unit in range(len(labels)):
            source = labels[unit]
            for target in range(min(clusters + 1, len(labels))):
                smaller = np.inf
                for side in range(2):
                    here = links[side, source, unit] - shares[side, unit, unit]
                    smaller = min(smaller, totals[side] + 2 * (links[side, target, unit] - here))
                if target != source and smaller > best:
                    best, mover, goal = smaller, unit, target
        if mover < 0:
            return labels, totals.min()
        source = labels[mover]
        for side in range(2):
            here = links[side, source, mover] - shares[side, mover, mover]
            totals[side] += 2 * (links[side, goal, mover] - here)
        links[:, source] -= shares[:, mover]
        links[:, goal] += shares[:, mover]
        labels[mover], clusters = goal, max(clusters, goal + 1)
