"""Turned axes: what a layer's spectrum alone allows, a null model of its clusters (ours, not the paper's).

Every measure is a quadratic form M of the units before abs() is taken. R M R^T, with R a random rotation of the live
units, has the same spectrum but no units. What is found there by the paper's search is what would be found in any axes:
only modularity above it is about units.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from unit_clusters.clusters.modularity import ROUNDING
from unit_clusters.clusters.search import ENTROPY, Clustering, cluster
from unit_clusters.similarity.measures import Form, in_form


def turned_clusters(
    signed: Float[np.ndarray, "units units"],
    form: Form,
    units: Bool[np.ndarray, " units"],
    rotations: Sequence[Float[np.ndarray, "live live"]],
    searches: Sequence[np.random.Generator],
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> list[Clustering]:
    """The clusters of some units in turned axes, once with each rotation.

    Args:
        signed: a similarity before abs() is taken, eqs. (1) to (4).
        form: what is clustered: the similarity as it is, or normalized by eq. (5) in the turned axes.
        units: those that take part: the live ones.
        rotations: of these units.
        searches: a random stream for the search in each.
        steps: Monte Carlo steps of each search.
        entropy: of each step, in nats.
    """
    part = np.asarray(signed, dtype=np.float64)[np.ix_(units, units)]
    return [
        cluster(in_form(turned(part, rotated), form), search, steps, entropy)
        for rotated, search in zip(rotations, searches, strict=True)
    ]


def rotation(units: int, rng: np.random.Generator) -> Float[np.ndarray, "units units"]:
    """A random orthogonal matrix, by Haar's measure (Mezzadri 2007)."""
    q, r = np.linalg.qr(rng.standard_normal((units, units)))
    return q * np.sign(np.diagonal(r))


def turned(
    signed: Float[np.ndarray, "units units"], rotation: Float[np.ndarray, "units units"]
) -> Float[np.ndarray, "units units"]:
    """R M R^T. Off the diagonal, what is but rounding, relative to the largest entry of M, is 0."""
    found = rotation @ signed @ rotation.T
    found = (found + found.T) / 2
    rounding = np.abs(found) <= ROUNDING * np.abs(signed).max(initial=0)
    found[rounding & ~np.eye(len(found), dtype=bool)] = 0
    return found
