"""One partition for two measures: how much of both modularities a single partition has (the paper's footnote 5)."""

from operator import itemgetter
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import EQUAL
from unit_clusters.clusters.search import balanced_partition, iterated_tabu_search, tabu_search
from unit_clusters.streams import stream

BISECTIONS, DEALS = 5, 3
"""How often the weights change, and two clusters are dealt anew each time: with more of either, the share of a layer's
matrices rises by less than 0.01.
"""


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
    return Side(b / q if q > EQUAL else np.full_like(b, np.nan), named(best))


def one_partition(a: Side, b: Side) -> tuple[float, Int[np.ndarray, " units"]]:
    """The largest min(Q_a / Q*_a, Q_b / Q*_b) that is found over partitions, and that partition.

    Q_a / Q*_a + Q_b / Q*_b is a modularity, too, of the matrix B_a / Q*_a + B_b / Q*_b. It is maximised by a tabu
    search from the clusters of either measure and from their intersections; and again, from what was found, with more
    weight for the side that has the smaller share, by bisection. From each of all these partitions, single units move
    for as long as that raises the smaller share.

    Returns:
        The share, at most 1 but for what Q* misses of the highest modularity, and labels. All units in one cluster have
        0 of either. NaN if a Q* is 0, as without live units.
    """
    shares = np.stack((a.shares, b.shares))
    if np.isnan(shares).any():
        return float("nan"), np.zeros_like(a.best)
    # Searches take gains for rounding below a size that suits matrices whose entries add up to about 1. Powers of two
    # leave all digits as they are.
    scale = 2.0 ** np.ceil(np.log2(max(1.0, np.abs(shares).sum())))
    shares = shares / scale
    none, rng, low, high = np.zeros(len(a.best)), stream("one partition"), 0.0, 1.0  # degrees are in B already
    starts = a.best, b.best, named(a.best * len(b.best) + b.best)
    found = [(np.zeros_like(a.best), 0.0), *(balanced_partition(shares, start) for start in starts)]
    both = _off_diagonal(shares.sum(axis=0) / 2)
    labels = named(max((tabu_search(both, none, start) for start in starts), key=itemgetter(1))[0])
    for _ in range(BISECTIONS):
        weight = (low + high) / 2
        both = _off_diagonal(weight * shares[0] + (1 - weight) * shares[1])
        labels = named(iterated_tabu_search(both, none, labels, DEALS, rng))
        found.append(balanced_partition(shares, labels))
        share_a, share_b = np.sum(shares, axis=(1, 2), where=np.equal.outer(labels, labels))
        low, high = (weight, high) if share_a < share_b else (low, weight)
    labels, share = max(found, key=itemgetter(1))
    return share * scale, labels


def named(labels: Int[np.ndarray, " units"]) -> Int[np.ndarray, " units"]:
    """The same clusters, as 0, 1, ... with none left out."""
    return np.unique(labels, return_inverse=True)[1]


def _off_diagonal(b: Float[np.ndarray, "units units"]) -> Float[np.ndarray, "units units"]:
    """B without its diagonal, which all partitions have."""
    b = b.copy()
    np.fill_diagonal(b, 0)
    return b
