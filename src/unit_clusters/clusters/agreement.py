"""How far two clusterings of the same units agree (section 4.4)."""

from itertools import combinations
from math import lgamma
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.modularity import ROUNDING, UNUSED, modularity


class Agreement(NamedTuple):
    """The scores of one pair of clusterings and their matrices; for all of them, higher means more alike."""

    element_similarity: float
    element_similarity_alive: float
    element_similarity_adjusted: float
    element_similarity_best: float
    element_similarity_best_adjusted: float
    transferability: float
    rmi: float
    vi: float
    ari: float
    nmi: float
    spearman: float


class Repeats(NamedTuple):
    """How far two independent clusterings of one matrix agree; neither is a bound on how far two matrices' can."""

    element_similarity: float
    element_similarity_adjusted: float
    element_similarity_best: float
    element_similarity_best_adjusted: float


class OtherScores(NamedTuple):
    """Scores of two clusterings beside element similarity; for all of them, higher means more alike."""

    rmi: float
    """Reduced mutual information (Newman et al. 2020) in bits per unit: 0 if either has a single cluster."""
    vi: float
    """1 minus the mean of H(A|B)/H(A) and H(B|A)/H(B), the variation of information normalised by entropies (Meila
    2007): 1 for the same clusters, 0 for independent ones, and 0 if just one of the two has a single cluster."""
    ari: float
    """Adjusted Rand index (Hubert & Arabie 1985): 1 for the same clusters, 0 as expected by chance."""
    nmi: float
    """Mutual information divided by the mean of the two entropies: 1 for the same clusters, 0 for independent ones."""


def shared_units(
    labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]
) -> Float[np.ndarray, "clusters_a clusters_b"]:
    """The contingency table: how many units each cluster of one clustering shares with each of the other."""
    members_a, members_b = (np.equal.outer(labels, np.unique(labels)).astype(float) for labels in (labels_a, labels_b))
    return members_a.T @ members_b


def element_similarity(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """Element-centric similarity (Gates et al. 2019) of two clusterings: 1 for the same, 0 for none in common.

    For partitions it is sum over clusters a, b of n_ab^2 / (N max(|a|, |b|)), where n_ab of N units are in both,
    whatever the paper's alpha is. NaN if there are no units.
    """
    if len(labels_a) == 0:
        return float("nan")
    shared = shared_units(labels_a, labels_b)
    larger = np.maximum.outer(shared.sum(axis=1), shared.sum(axis=0))
    return float(np.sum(shared**2 / larger) / len(labels_a))


def similarity_alive(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """Element similarity of the units that are alive (not UNUSED) under both; NaN if there are none."""
    alive = (labels_a != UNUSED) & (labels_b != UNUSED)
    return element_similarity(labels_a[alive], labels_b[alive])


def expected_similarity(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> float:
    """The mean element similarity if the labels of either clustering were dealt to the units at random.

    The number of units that two clusters of random members share is hypergeometric.
    """
    a, b = (np.unique(labels, return_counts=True)[1].astype(float) for labels in (labels_a, labels_b))
    units = len(labels_a)
    mean = np.outer(a, b) / units
    variance = mean * np.outer(units - a, units - b) / (units * max(units - 1, 1))
    return float(np.sum((mean**2 + variance) / np.maximum.outer(a, b)) / units)


def element_similarities(
    labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]
) -> tuple[float, float]:
    """Element similarity, as it is and corrected for chance, as the Rand index is: 1 for the same clusters, 0 as
    expected by chance.

    Both are NaN if there are no units; the second is 1 where chance alone makes the clusterings the same.
    """
    found = element_similarity(labels_a, labels_b)
    if len(labels_a) == 0:
        return found, found
    chance = expected_similarity(labels_a, labels_b)
    return found, (found - chance) / (1 - chance) if chance < 1 - ROUNDING else 1.0


def other_scores(labels_a: Int[np.ndarray, " units"], labels_b: Int[np.ndarray, " units"]) -> OtherScores:
    """Other scores of two clusterings, with defined values where a formula divides 0 by 0; all NaN without units."""
    if len(labels_a) == 0:
        return OtherScores(*[float("nan")] * 4)
    shared = shared_units(labels_a, labels_b)
    rmi = _reduced_information(shared)
    if np.count_nonzero(shared) == len(shared) == len(shared.T):  # the same clusters
        return OtherScores(rmi, 1.0, 1.0, 1.0)
    h_a, h_b, h_both = (_entropy(counts) for counts in (shared.sum(axis=1), shared.sum(axis=0), shared))
    vi = 1 - ((h_both - h_a) / h_b + (h_both - h_b) / h_a) / 2 if 1 not in shared.shape else 0.0
    return OtherScores(rmi, float(vi), _adjusted_rand_index(shared), float(2 * (h_a + h_b - h_both) / (h_a + h_b)))


def _entropy(counts: Float[np.ndarray, "..."]) -> float:
    """In bits, of the shares."""
    shares = counts[counts > 0] / counts.sum()
    return -np.sum(shares * np.log2(shares))


def _adjusted_rand_index(shared: Float[np.ndarray, "clusters_a clusters_b"]) -> float:
    both, in_a, in_b, pairs = (
        np.sum(counts * (counts - 1) / 2) for counts in (shared, shared.sum(axis=1), shared.sum(axis=0), shared.sum())
    )
    chance = in_a * in_b / pairs
    return float((both - chance) / ((in_a + in_b) / 2 - chance))


def _reduced_information(shared: Float[np.ndarray, "clusters_a clusters_b"]) -> float:
    """In bits per unit: the information of the table, less that of a table with its sums (Newman et al. 2020)."""
    a, b, units = shared.sum(axis=1), shared.sum(axis=0), shared.sum()
    information = _log_factorials(units) + _log_factorials(shared) - _log_factorials(a) - _log_factorials(b)
    return float((information - _log_tables(a, b)) / np.log(2) / units)


def _log_factorials(counts: Float[np.ndarray, "..."]) -> float:
    return sum(map(lgamma, np.ravel(counts) + 1))


def _log_tables(a: Float[np.ndarray, " rows"], b: Float[np.ndarray, " columns"]) -> float:
    """The log of the number of tables with these sums of rows and columns, estimated (Diaconis & Efron 1985)."""
    units, rows, columns = a.sum(), len(a), len(b)
    w = units / (units + rows * columns / 2)
    x, y = (1 - w) / rows + w * a / units, (1 - w) / columns + w * b / units
    nu = (columns + 1) / (columns * np.sum(x**2)) - 1 / columns
    mu = (rows + 1) / (rows * np.sum(y**2)) - 1 / rows
    log = (rows - 1) * (columns - 1) * np.log(units + rows * columns / 2)
    log += (rows + nu - 2) / 2 * np.log(y).sum() + (columns + mu - 2) / 2 * np.log(x).sum()
    log += (lgamma(mu * rows) - rows * (lgamma(mu) + lgamma(columns))) / 2
    return log + (lgamma(nu * columns) - columns * (lgamma(nu) + lgamma(rows))) / 2


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


def compare(
    adjacencies: list[Float[np.ndarray, "units units"]],
    labels: Int[np.ndarray, "forms units"],
    best: Int[np.ndarray, "forms units"],
) -> dict[tuple[int, int], Agreement]:
    """Compare the clusterings of one layer by several measures, each pair (a, b) with a < b.

    Units that are unused under a measure count as a cluster of their own, as P 1 = 1 asks, but for
    `element_similarity_alive`, which leaves out the units that are unused under either, and is NaN if none is left.

    Args:
        adjacencies: A~ of each form.
        labels: the clusters of the paper's single search.
        best: the best clusters that are known, for the scores of that name.
    """
    spearman = rank_correlations(adjacencies)
    return {
        (a, b): Agreement(
            found,
            similarity_alive(labels[a], labels[b]),
            adjusted,
            *element_similarities(best[a], best[b]),
            transferability(adjacencies[a], labels[a], adjacencies[b], labels[b]),
            *other_scores(labels[a], labels[b]),
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
