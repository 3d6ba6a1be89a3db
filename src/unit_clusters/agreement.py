"""How far two clusterings of the same units agree (section 4.4)."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from clusim.clustering import Clustering
from clusim.sim import element_sim
from jaxtyping import Float, Int

from unit_clusters.modularity import UNUSED, modularity


class Agreement(NamedTuple):
    """The scores of one pair of clusterings; for all three, higher means more alike."""

    element_similarity: float
    element_similarity_alive: float
    transferability: float


def element_similarity(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """Element-centric similarity (Gates et al. 2019) of two clusterings: 1 for the same, 0 for none in common.

    NaN if there are no units.
    """
    if len(labels_a) == 0:
        return float("nan")
    clusterings = (Clustering().from_membership_list(labels.tolist()) for labels in (labels_a, labels_b))
    return float(element_sim(*clusterings))


def transferability(
    adjacency_a: Float[np.ndarray, "units units"],
    labels_a: Int[np.ndarray, " units"],
    adjacency_b: Float[np.ndarray, "units units"],
    labels_b: Int[np.ndarray, " units"],
) -> float:
    """Eq. (9): the mean modularity of each matrix under the other's clusters."""
    return (modularity(adjacency_a, labels_b) + modularity(adjacency_b, labels_a)) / 2


def compare(
    adjacencies: list[Float[np.ndarray, "units units"]], labels: Int[np.ndarray, "forms units"]
) -> dict[tuple[int, int], Agreement]:
    """Compare the clusterings of one layer by several measures, each pair (a, b) with a < b.

    Units that are unused under a measure count as a cluster of their own, as P 1 = 1 asks; `element_similarity_alive`
    leaves out the units that are unused under either, and is NaN if none is left.
    """
    scores = {}
    for a, b in combinations(range(len(labels)), 2):
        alive = (labels[a] != UNUSED) & (labels[b] != UNUSED)
        scores[a, b] = Agreement(
            element_similarity(labels[a], labels[b]),
            element_similarity(labels[a][alive], labels[b][alive]),
            transferability(adjacencies[a], labels[a], adjacencies[b], labels[b]),
        )
    return scores
