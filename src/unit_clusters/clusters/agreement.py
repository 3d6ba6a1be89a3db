"""How far two clusterings of the same units agree (section 4.4)."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import ROUNDING, UNUSED, modularity
from unit_clusters.clusters.shared import one_partition, side


class Agreement(NamedTuple):
    """The scores of one pair of clusterings and their matrices; for all of them, higher means more alike."""

    element_similarity: float
    element_similarity_alive: float
    element_similarity_alive_adjusted: float
    element_similarity_adjusted: float
    element_similarity_best: float
    element_similarity_best_adjusted: float
    transferability: float
    one_partition: float
    """Of `shared.one_partition`, from the best clusters that are known."""
    spearman: float


class Repeats(NamedTuple):
    """How far two independent clusterings of one matrix agree; neither is a bound on how far two matrices' can."""

    element_similarity: float
    element_similarity_adjusted: float
    element_similarity_best: float
    element_similarity_best_adjusted: float


def element_similarity(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """Element-centric similarity (Gates et al. 2019) of two clusterings: 1 for the same, 0 for none in common.

    For partitions it is the mean over units of n_ab / max(|a|, |b|), where a and b are the unit's clusters and n_ab is
    the number of units that these share. NaN if there are no units.
    """
    return element_similarities(labels_a, labels_b)[0]


def element_similarities(
    labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]
) -> tuple[float, float]:
    """Element similarity, as it is and corrected for chance, as the Rand index is: 1 for the same clusters, 0 as
    expected by chance.

    Both are NaN if there are no units; the second is 1 where chance alone makes the clusterings the same.
    """
    if len(labels_a) == 0:
        return float("nan"), float("nan")
    shared = _overlaps(labels_a, labels_b)
    a, b = shared.sum(axis=1), shared.sum(axis=0)
    found = float(np.sum(shared**2 / np.maximum.outer(a, b)) / len(labels_a))
    chance = _expected(a, b)
    return found, (found - chance) / (1 - chance) if chance < 1 - ROUNDING else 1.0


def similarities_alive(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> tuple[float, float]:
    """`element_similarities` of the units that are alive (not UNUSED) under both; NaN if there are none."""
    alive = (labels_a != UNUSED) & (labels_b != UNUSED)
    return element_similarities(labels_a[alive], labels_b[alive])


def expected_similarity(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """The mean element similarity if the labels of either clustering were dealt to the units at random."""
    shared = _overlaps(labels_a, labels_b)
    return _expected(shared.sum(axis=1), shared.sum(axis=0))


def _overlaps(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> Float[np.ndarray, "a b"]:
    """How many units each cluster of either clustering shares with each of the other."""
    a, b = labels_a - UNUSED, labels_b - UNUSED
    columns = b.max() + 1
    table = np.bincount(a * columns + b, minlength=(a.max() + 1) * columns).reshape(-1, columns).astype(float)
    return table[table.any(axis=1)][:, table.any(axis=0)]


def _expected(sizes_a: Float[np.ndarray, " a"], sizes_b: Float[np.ndarray, " b"]) -> float:
    """`expected_similarity` by the sizes of the clusters.

    For partitions the similarity is sum over clusters a, b of n_ab^2 / (N max(|a|, |b|)), and n_ab, the number of units
    that two clusters of random members share, is hypergeometric.
    """
    units = sizes_a.sum()
    mean = np.outer(sizes_a, sizes_b) / units
    variance = mean * np.outer(units - sizes_a, units - sizes_b) / (units * max(units - 1, 1))
    return float(np.sum((mean**2 + variance) / np.maximum.outer(sizes_a, sizes_b)) / units)


def transferability(
    adjacency_a: Float[np.ndarray, "units units"],
    labels_a: Int[np.ndarray, " units"],
    adjacency_b: Float[np.ndarray, "units units"],
    labels_b: Int[np.ndarray, " units"],
) -> float:
    """Eq. (9): the mean modularity of each matrix under the other's clusters."""
    return (modularity(adjacency_a, labels_b) + modularity(adjacency_b, labels_a)) / 2


def rank_correlations(matrices: list[Float[np.ndarray, "units units"]]) -> Float[np.ndarray, "forms forms"]:
    """Spearman correlations between the upper triangles of symmetric matrices, diagonals left out.

    NaN where a matrix has no two different entries there.
    """
    ranks = np.array([_ranks(matrix[np.triu_indices(len(matrix), k=1)]) for matrix in matrices])
    centred = ranks - ranks.mean(axis=1, keepdims=True) if ranks.size else ranks
    norms = np.linalg.norm(centred, axis=1)
    scale = np.where(norms > 0, norms, np.nan)
    return centred @ centred.T / np.outer(scale, scale)


def _ranks(values: Float[np.ndarray, " values"]) -> Float[np.ndarray, " values"]:
    """Ranks from 1, equal values sharing the mean of theirs, like scipy.stats.rankdata, which takes 0.4 s to import."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def compare_forms(
    adjacencies: list[Float[np.ndarray, "units units"]],
    labels: Int[np.ndarray, "forms units"],
    best: Int[np.ndarray, "forms units"],
) -> dict[tuple[int, int], Agreement]:
    """Compare the clusterings of one layer by several measures, each pair (a, b) with a < b.

    Units that are unused under a measure count as a cluster of their own, as P 1 = 1 asks, but for
    `element_similarity_alive`, as it is and corrected for chance, which leaves out the units that are unused under
    either, and is NaN if none is left.

    Args:
        adjacencies: A~ of each form.
        labels: the clusters of the paper's single search.
        best: the best clusters that are known, for the scores of that name.
    """
    spearman = rank_correlations(adjacencies)
    sides = [side(weights, clusters) for weights, clusters in zip(adjacencies, best, strict=True)]
    return {
        (a, b): Agreement(
            found,
            *similarities_alive(labels[a], labels[b]),
            adjusted,
            *element_similarities(best[a], best[b]),
            transferability(adjacencies[a], labels[a], adjacencies[b], labels[b]),
            one_partition(sides[a], sides[b])[0],
            float(spearman[a, b]),
        )
        for a, b in combinations(range(len(labels)), 2)
        for found, adjusted in [element_similarities(labels[a], labels[b])]
    }


def compare_repeats(
    labels: Int[np.ndarray, " units"], again: Int[np.ndarray, " units"], halves: Int[np.ndarray, "2 units"]
) -> Repeats:
    """Compare two searches of the paper's kind, and the best partitions of two halves of the restarts.

    The latter scores are NaN where there were no restarts: all units of the halves are UNUSED, and not all are dead.
    """
    restarted = (halves != UNUSED).any() or (labels == UNUSED).all()
    best = element_similarities(*halves) if restarted else (float("nan"),) * 2
    return Repeats(*element_similarities(labels, again), *best)
