"""Scores of two clusterings beside element similarity, by the package that the paper names, clusim."""

from typing import NamedTuple

import numpy as np
from clusim import sim
from clusim.clustering import Clustering
from jaxtyping import Int


class OtherScores(NamedTuple):
    """Scores of two clusterings beside element similarity, by clusim; for all of them, higher means more alike."""

    rmi: float
    """Reduced mutual information (Newman et al. 2020) in bits per unit: 0 if either has a single cluster."""
    vi: float
    """1 minus the mean of H(A|B)/H(A) and H(B|A)/H(B), the variation of information normalised by entropies (Meila
    2007): 1 for the same clusters, 0 for independent ones, and 0 if just one of the two has a single cluster."""
    ari: float
    """Adjusted Rand index (Hubert & Arabie 1985): 1 for the same clusters, 0 as expected by chance."""
    nmi: float
    """Mutual information divided by the mean of the two entropies: 1 for the same clusters, 0 for independent ones."""


def other_scores(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> OtherScores:
    """Other scores of two clusterings, with defined values where clusim divides 0 by 0; all NaN without units."""
    if len(labels_a) == 0:
        return OtherScores(*[float("nan")] * 4)
    a, b = _clustering(labels_a), _clustering(labels_b)
    rmi = float(sim.rmi(a, b))
    if np.count_nonzero(sim.contingency_table(a, b)) == a.n_clusters == b.n_clusters:  # the same clusters
        return OtherScores(rmi, 1.0, 1.0, 1.0)
    single = 1 in (a.n_clusters, b.n_clusters)
    vi = 0.0 if single else float(sim.vi(a, b, norm_type="entropy"))
    return OtherScores(rmi, vi, float(sim.adjrand_index(a, b)), float(sim.nmi(a, b)))


def _clustering(labels: Int[np.ndarray, " units"]) -> Clustering:
    return Clustering().from_membership_list(labels.tolist())
