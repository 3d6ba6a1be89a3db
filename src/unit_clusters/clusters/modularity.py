"""Modularity of clusters of units, and what else describes them (section 3.2)."""

import numpy as np
from jaxtyping import Bool, Float, Int

UNUSED = -1
"""The label of dead units: those similar to no other unit."""

ROUNDING = 1e-12
"""A gain in Q counts only above this, so that rounding never decides between partitions of equal Q."""

EQUAL = 1e-9
"""Modularities and scores that differ by no more are equal: sums in another order come that close."""

ASYMMETRY = 1e-5
"""How far a similarity may be from symmetric, relative to its largest entry: float32 sums come that close."""


def adjacency(similarity: Float[np.ndarray, "units units"]) -> Float[np.ndarray, "units units"]:
    """A~ of section 3.2, in float64: the similarity without its diagonal, divided by its sum.

    The result is exactly symmetric, and all zero if no two units are similar.

    Raises:
        ValueError: the similarity is not square, not finite, negative somewhere, or not symmetric to within
            ASYMMETRY times its largest entry.
    """
    weights = np.array(similarity, dtype=np.float64)
    if weights.ndim != 2 or weights.shape[0] != weights.shape[1]:
        raise ValueError(f"similarity must be a square matrix, but its shape is {weights.shape}")
    if not np.isfinite(weights).all():
        raise ValueError(f"similarity has {np.sum(~np.isfinite(weights))} entries that are NaN or infinite")
    if (weights < 0).any():
        raise ValueError(f"similarity must not be negative, but its smallest entry is {weights.min():g}")
    asymmetry = np.abs(weights - weights.T).max(initial=0)
    if asymmetry > ASYMMETRY * weights.max(initial=0):
        raise ValueError(f"similarity must be symmetric, but two mirrored entries differ by {asymmetry:g}")
    weights = (weights + weights.T) / 2
    np.fill_diagonal(weights, 0)
    total = weights.sum()
    return weights / total if total > 0 else weights


def live_adjacency(
    similarity: Float[np.ndarray, "units units"],
) -> tuple[Float[np.ndarray, "live live"], Bool[np.ndarray, " units"]]:
    """A~ of the live units, those that are similar to another, and which units they are.

    Raises:
        ValueError: as `adjacency` does.
    """
    weights = adjacency(similarity)
    live = weights.any(axis=1)
    return weights[np.ix_(live, live)], live


def modularity(adjacency: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> float:
    """Q of eq. (6) for any integer labels; units whose row is zero add nothing, whatever their label."""
    names, columns = np.unique(labels, return_inverse=True)
    members = np.eye(len(names))[columns]
    between = members.T @ adjacency @ members
    return float(np.trace(between) - np.sum(between.sum(axis=1) ** 2))


def num_clusters(labels: Int[np.ndarray, " units"]) -> float:
    """Eq. (8): exp of the entropy of the clusters' shares of the live units; 0.0 if there are none."""
    live = labels[labels != UNUSED]
    if not len(live):
        return 0.0
    shares = np.unique(live, return_counts=True)[1] / len(live)
    return float(np.exp(-np.sum(shares * np.log(shares))))


def largest_share(labels: Int[np.ndarray, " units"]) -> float:
    """The share of the live units that the largest cluster holds; NaN if there are none."""
    live = labels[labels != UNUSED]
    return float(np.unique(live, return_counts=True)[1].max() / len(live)) if len(live) else float("nan")


def contrast(similarity: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> float:
    """How much more similar two live units are within clusters than between them, in the units of the similarity.

    The mean over all pairs of different units of one cluster, minus that over all pairs of two clusters. NaN if
    there are no pairs of either kind, as when all live units are in one cluster.
    """
    live = labels != UNUSED
    pairs = np.triu_indices(live.sum(), k=1)
    similarities = np.asarray(similarity, dtype=np.float64)[np.ix_(live, live)][pairs]
    within = np.equal.outer(labels[live], labels[live])[pairs]
    if within.all() or not within.any():
        return float("nan")
    return float(similarities[within].mean() - similarities[~within].mean())
