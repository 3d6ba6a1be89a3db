"""Soft clusters: whether a unit would rather be divided between clusters (the paper's footnote 3).

Let row i of P be unit i's shares in the clusters, non-negative and of sum 1. In it Q of eq. (6) is
2 p.g - d_i^2 |p|^2 + const, where d_i is the unit's degree and g_c the sum of B_ij P_jc over the other units j. That is
concave, so a unit that is in its best cluster would rather be divided exactly if the gap between its two largest g is
below d_i^2. An empty cluster has g = 0.
"""

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import live_adjacency, modularity

SETTLED = 1e-10
"""Coordinate ascent ends with a round over all units that gains less in Q."""

MOST_ROUNDS = 1000


def soft_units(similarity: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> int:
    """How many live units would rather be divided, each by itself, than be in one cluster alone.

    Args:
        similarity: any of the measures, as for `cluster`.
        labels: the clusters; UNUSED for dead units, which are similar to no other.
    """
    weights, live = live_adjacency(similarity)
    if not live.any():
        return 0
    best, second = np.sort(_gains(weights, _shares(labels[live])), axis=1)[:, :-3:-1].T
    return int(np.sum(best - second < weights.sum(axis=1) ** 2))


def soft_gain(similarity: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> float:
    """What Q gains by coordinate ascent over soft clusters from hard ones; 0.0 without live units."""
    weights, live = live_adjacency(similarity)
    if not live.any():
        return 0.0
    degrees = weights.sum(axis=1)
    shares = _shares(labels[live])
    start = q = modularity(weights, labels[live])
    for _ in range(MOST_ROUNDS):
        volumes = degrees @ shares
        for unit, degree in enumerate(degrees):
            others = volumes - degree * shares[unit]
            gains = weights[unit] @ shares - degree * others
            shares[unit] = _nearest(gains / degree**2)
            volumes = others + degree * shares[unit]
        before, q = q, float(np.sum(shares * (weights @ shares)) - volumes @ volumes)
        if q - before < SETTLED:
            break
    return q - start


def _shares(labels: Int[np.ndarray, " live"]) -> Float[np.ndarray, "live clusters"]:
    """P of hard clusters, with an empty one beside them."""
    names, columns = np.unique(labels, return_inverse=True)
    return np.eye(len(names) + 1)[columns]


def _gains(
    weights: Float[np.ndarray, "live live"], shares: Float[np.ndarray, "live clusters"]
) -> Float[np.ndarray, "live clusters"]:
    """g of every unit."""
    degrees = weights.sum(axis=1)[:, None]
    return weights @ shares - degrees * (degrees.T @ shares - degrees * shares)


def _nearest(point: Float[np.ndarray, " clusters"]) -> Float[np.ndarray, " clusters"]:
    """The nearest point of non-negative numbers of sum 1 (Held, Wolfe & Crowder 1974)."""
    ordered = np.sort(point)[::-1]
    excess = (np.cumsum(ordered) - 1) / np.arange(1, len(point) + 1)
    return np.maximum(point - excess[np.count_nonzero(ordered > excess) - 1], 0)
