"""How far a matrix, and its clusters, depend on the images that it was taken from (ours, not the paper's)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from unit_clusters.clusters.agreement import similarities_alive
from unit_clusters.clusters.search import ENTROPY, cluster

ENOUGH, WANTED = 0.8, 0.95
"""The reliability below which a warning is due, and the one that it says how to reach."""


class Reliability(NamedTuple):
    """Of one matrix, by two halves of the images. NaN where a half has too few, or there is nothing to compare."""

    reliability: float
    """The correlation that two matrices of as many images each are to be expected to have."""
    reliability_clusters: float
    """Element similarity of the clusters of the two halves, of live units, corrected for chance."""


def reliability(
    halves: Sequence[Float[np.ndarray, "units units"]],
    live: Bool[np.ndarray, " units"],
    searches: Sequence[np.random.Generator],
    steps: int = 5000,
    entropy: float = ENTROPY,
) -> Reliability:
    """How far two halves of the images give the same similarity, and the same clusters.

    Args:
        halves: the similarity from each half of the images.
        live: units that are live by all images; others take no part in the correlation.
        searches: a random stream for the search in each half.
        steps: Monte Carlo steps of each search.
        entropy: of each step, in nats.
    """
    if not np.isfinite(halves).all():
        return Reliability(float("nan"), float("nan"))
    a, b = (cluster(half, search, steps, entropy).labels for half, search in zip(halves, searches, strict=True))
    return Reliability(
        stepped_up(_correlation(*(half[np.ix_(live, live)] for half in halves))), similarities_alive(a, b)[1]
    )


def stepped_up(correlation: float, times: float = 2.0) -> float:
    """The correlation of two matrices of `times` as many images each (Spearman 1910, Brown 1910).

    A negative one, which says that there is none, stays as it is.
    """
    return times * correlation / (1 + (times - 1) * correlation) if correlation > 0 else correlation


def images_for(wanted: float, reliability: float, images: int) -> float:
    """How many images are to be expected to reach a reliability, if so many have another: Spearman-Brown solved."""
    return images * wanted * (1 - reliability) / (reliability * (1 - wanted)) if reliability > 0 else float("inf")


def _correlation(a: Float[np.ndarray, "units units"], b: Float[np.ndarray, "units units"]) -> float:
    """Pearson's, of the entries above the diagonals; NaN if there are no two different ones in either."""
    above = np.triu_indices(len(a), k=1)
    a, b = a[above], b[above]
    if not (len(a) and np.ptp(a) and np.ptp(b)):
        return float("nan")
    return float(np.corrcoef(a, b)[0, 1])
