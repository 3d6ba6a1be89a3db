"""Agreement between clusterings: known values, the definition written out, and symmetry."""

import math
from itertools import permutations, product

import numpy as np
import pytest
from clusim import sim
from clusim.clustering import Clustering
from scipy.stats import spearmanr

from unit_clusters.clusters.agreement import (
    compare_forms,
    compare_repeats,
    element_similarities,
    element_similarity,
    expected_similarity,
    rank_correlations,
    similarities_alive,
    transferability,
)
from unit_clusters.clusters.modularity import UNUSED, adjacency, modularity
from unit_clusters_paper.results.other_scores import other_scores


def by_definition(a, b):
    """Gates et al. 2019, eq. 4, for two partitions: units of one cluster share a unit's affinity equally."""

    def affinity(labels):
        together = labels[:, None] == labels
        return together / together.sum(axis=1)

    return 1 - np.abs(affinity(a) - affinity(b)).sum(axis=1).mean() / 2


@pytest.mark.parametrize("units", [2, 5, 30])
def test_element_similarity_is_as_defined(units):
    random = np.random.default_rng(units)
    for _ in range(20):
        a, b = random.integers(-1, 4, (2, units))
        assert element_similarity(a, b) == pytest.approx(by_definition(a, b), abs=1e-12)
        assert element_similarity(a, b) == pytest.approx(element_similarity(b, a), abs=1e-12)
        by_clusim = sim.element_sim(*(Clustering().from_membership_list(labels.tolist()) for labels in (a, b)))
        assert element_similarity(a, b) == pytest.approx(by_clusim, abs=1e-12)


def test_element_similarity_of_known_cases():
    a = np.array([0, 0, 1, 1])
    assert element_similarity(a, np.array([5, 5, 2, 2])) == pytest.approx(1)
    assert element_similarity(a, np.array([0, 1, 0, 1])) == pytest.approx(0.5)
    assert element_similarity(np.zeros(4, int), np.arange(4)) == pytest.approx(0.25)
    assert math.isnan(element_similarity(np.array([], int), np.array([], int)))


@pytest.mark.parametrize("units", [1, 2, 5, 7])
def test_expected_similarity_is_the_mean_over_all_ways_to_deal_the_labels(units):
    random = np.random.default_rng(units)
    for _ in range(3):
        a, b = random.integers(-1, 2, units), random.integers(0, 3, units)
        dealt = [by_definition(a, np.array(labels)) for labels in permutations(b)]
        assert expected_similarity(a, b) == pytest.approx(np.mean(dealt), abs=1e-12)
        assert expected_similarity(b, a) == pytest.approx(np.mean(dealt), abs=1e-12)


def test_expected_similarity_is_the_mean_over_shuffled_labels():
    random = np.random.default_rng(0)
    a, b = random.integers(0, 4, 64), random.integers(-1, 5, 64)
    shuffled = [element_similarity(a, random.permutation(b)) for _ in range(2000)]
    error = np.std(shuffled) / np.sqrt(len(shuffled))
    assert expected_similarity(a, b) == pytest.approx(np.mean(shuffled), abs=4 * error)
    adjusted = [element_similarities(a, random.permutation(b))[1] for _ in range(2000)]
    assert np.mean(adjusted) == pytest.approx(0, abs=4 * np.std(adjusted) / np.sqrt(len(adjusted)))


def test_adjusted_similarity_of_known_cases():
    halves, apart, one = np.repeat([0, 1], 3), np.arange(6), np.zeros(6, int)
    assert element_similarities(halves, 1 - halves)[1] == pytest.approx(1)
    assert element_similarities(one, one)[1] == 1  # chance makes them the same
    assert element_similarities(apart, apart)[1] == 1
    assert element_similarities(one, halves)[1] == pytest.approx(0)
    assert math.isnan(element_similarities(np.array([], int), np.array([], int))[1])


def test_repeats_are_compared_and_restarts_if_there_were_any():
    a, b = np.array([0, 0, 1, 1, UNUSED]), np.array([0, 0, 0, 1, UNUSED])
    none = np.full((2, 5), UNUSED)
    found = compare_repeats(a, b, np.stack([b, b]))
    assert found == (element_similarity(a, b), element_similarities(a, b)[1], 1, 1)
    assert compare_repeats(a, b, none)[:2] == found[:2]
    assert np.isnan(compare_repeats(a, b, none)[2:]).all()
    assert compare_repeats(*none, none) == (1, 1, 1, 1)  # no unit is alive


def contingency(a, b):
    return np.array([[np.sum((a == i) & (b == j)) for j in np.unique(b)] for i in np.unique(a)])


def entropy(counts):
    shares = counts[counts > 0] / counts.sum()
    return -np.sum(shares * np.log2(shares))


def information(table):
    """log2 of n! prod n_ij! / (prod a_i! prod b_j!), the information before reduction (Newman et al. 2020)."""

    def log_factorials(counts):
        return sum(math.lgamma(count + 1) for count in counts) / math.log(2)

    ways = log_factorials([table.sum()]) + log_factorials(table.ravel())
    return ways - log_factorials(table.sum(axis=0)) - log_factorials(table.sum(axis=1))


def log_tables_estimated(a, b):
    """log2 of the number of tables with margins a and b, estimated (Diaconis & Efron 1985; Newman et al. 2020)."""
    n, r, s = a.sum(), len(a), len(b)
    w = n / (n + r * s / 2)
    x, y = (1 - w) / r + w * a / n, (1 - w) / s + w * b / n
    nu = (s + 1) / (s * np.sum(x**2)) - 1 / s
    mu = (r + 1) / (r * np.sum(y**2)) - 1 / r
    gamma = math.lgamma
    log = (r - 1) * (s - 1) * np.log(n + r * s / 2)
    log += (r + nu - 2) / 2 * np.log(y).sum() + (s + mu - 2) / 2 * np.log(x).sum()
    log += (gamma(mu * r) + gamma(nu * s) - s * (gamma(nu) + gamma(r)) - r * (gamma(mu) + gamma(s))) / 2
    return log / math.log(2)


def tables_counted(a, b):
    """The number of tables with margins a and b, row by row."""
    if len(a) == 1:
        return 1
    rows = (row for row in product(*(range(min(a[0], most) + 1) for most in b)) if sum(row) == a[0])
    return sum(tables_counted(a[1:], np.array(b) - row) for row in rows)


def pairs_together(labels):
    return np.equal.outer(labels, labels)[np.triu_indices(len(labels), k=1)]


@pytest.mark.parametrize("units", [6, 30, 256])
def test_other_scores_are_as_defined(units):
    random = np.random.default_rng(units)
    for _ in range(10):
        a, b = random.integers(-1, 4, units), random.integers(0, 3, units)
        b = np.where(random.random(units) < 0.5, a, b)
        table, scores = contingency(a, b), other_scores(a, b)
        h_a, h_b, h_ab = entropy(table.sum(axis=1)), entropy(table.sum(axis=0)), entropy(table)
        rmi = (information(table) - log_tables_estimated(table.sum(axis=1), table.sum(axis=0))) / units
        assert scores.rmi == pytest.approx(rmi, abs=1e-12)
        assert scores.vi == pytest.approx(1 - ((h_ab - h_a) / h_b + (h_ab - h_b) / h_a) / 2, abs=1e-12)
        assert scores.nmi == pytest.approx(2 * (h_a + h_b - h_ab) / (h_a + h_b), abs=1e-12)
        in_a, in_b = pairs_together(a), pairs_together(b)
        chance = in_a.sum() * in_b.sum() / len(in_a)
        ari = ((in_a & in_b).sum() - chance) / ((in_a.sum() + in_b.sum()) / 2 - chance)
        assert scores.ari == pytest.approx(ari, abs=1e-12)
        assert other_scores(b, a) == pytest.approx(scores, abs=1e-12)


def test_information_is_reduced_by_that_of_the_table():
    """With the tables counted, not estimated."""
    a, b = np.repeat([0, 1, 2], [6, 5, 3]), np.repeat([0, 1, 0, 2, 2, 1], [5, 1, 1, 4, 2, 1])
    table = contingency(a, b)
    counted = tables_counted(table.sum(axis=1), table.sum(axis=0))
    assert other_scores(a, b).rmi == pytest.approx((information(table) - math.log2(counted)) / 14, abs=0.02)


def test_other_scores_where_a_clustering_is_single_or_all_apart():
    one, halves, apart = np.zeros(6, int), np.repeat([0, 1], 3), np.arange(6)
    assert other_scores(one, one) == pytest.approx((0, 1, 1, 1))
    assert other_scores(apart, apart)[1:] == (1, 1, 1)
    assert other_scores(halves, 7 - halves)[1:] == (1, 1, 1)
    for other in (halves, apart):
        assert other_scores(one, other) == pytest.approx((0, 0, 0, 0), abs=1e-12)
        assert other_scores(other, one) == pytest.approx((0, 0, 0, 0), abs=1e-12)
    assert other_scores(np.zeros(1, int), np.ones(1, int)) == (0, 1, 1, 1)
    assert all(math.isnan(score) for score in other_scores(np.array([], int), np.array([], int)))


def test_vi_nears_its_value_for_a_single_cluster():
    """Of a cluster of all units but one, the rest says as little as of a single cluster."""
    halves, almost_one = np.repeat([0, 1], 5000), (np.arange(10_000) == 0).astype(int)
    assert other_scores(halves, almost_one).vi == pytest.approx(0, abs=0.05)


def test_rank_correlations_are_spearmans():
    random = np.random.default_rng(0)
    matrices = [random.random((12, 12)) for _ in range(3)]
    matrices.append(np.round(matrices[0] + 0.3 * random.random((12, 12)), 1))  # with ties
    matrices = [matrix + matrix.T for matrix in matrices]
    triangles = [matrix[np.triu_indices(12, k=1)] for matrix in matrices]
    expected = spearmanr(triangles, axis=1).statistic
    np.testing.assert_allclose(rank_correlations(matrices), expected, atol=1e-12)
    stretched = np.exp(5 * matrices[0])
    assert rank_correlations([matrices[0], stretched])[0, 1] == pytest.approx(1)


@pytest.mark.parametrize("units", [1, 2, 5])
def test_rank_correlations_of_constant_matrices_are_undefined(units):
    correlations = rank_correlations([np.ones((units, units)), np.zeros((units, units))])
    assert np.isnan(correlations).all()


def random_layer(random, units):
    matrix = random.random((units, units))
    return adjacency(matrix + matrix.T)


def test_transferability_by_hand():
    """Two pairs of units: the matrix that joins 0-1 and 2-3, and the one that joins 0-2 and 1-3."""
    a, b = np.zeros((2, 4, 4))
    a[[0, 1, 2, 3], [1, 0, 3, 2]] = b[[0, 2, 1, 3], [2, 0, 3, 1]] = 1 / 4
    pairs_a, pairs_b = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    assert transferability(a, pairs_a, a, pairs_a) == pytest.approx(0.5)
    assert transferability(a, pairs_a, b, pairs_b) == pytest.approx(-0.5)
    assert transferability(a, pairs_a, b, pairs_a) == pytest.approx(0)


def test_compare_scores_every_pair_once_both_ways_of_counting_dead_units():
    random = np.random.default_rng(0)
    adjacencies = [random_layer(random, 12) for _ in range(8)]
    labels = random.integers(0, 3, (8, 12))
    labels[0, :4], labels[1, 2:5] = UNUSED, UNUSED
    best = random.integers(-1, 3, (8, 12))
    scores = compare_forms(adjacencies, labels, best)
    assert len(scores) == 28
    assert all(a < b for a, b in scores)
    pair = scores[0, 1]
    assert pair.element_similarity == pytest.approx(by_definition(labels[0], labels[1]))
    assert pair.element_similarity_alive == pytest.approx(by_definition(labels[0, 5:], labels[1, 5:]))
    expected = (modularity(adjacencies[0], labels[1]) + modularity(adjacencies[1], labels[0])) / 2
    assert pair.transferability == pytest.approx(expected)
    assert scores[2, 3].element_similarity == pytest.approx(scores[2, 3].element_similarity_alive)
    assert pair[1:3] == similarities_alive(labels[0], labels[1])
    assert pair.element_similarity_alive_adjusted == element_similarities(labels[0, 5:], labels[1, 5:])[1]
    assert pair.element_similarity_adjusted == element_similarities(labels[0], labels[1])[1]
    assert pair.element_similarity_best == element_similarity(best[0], best[1])
    assert pair.element_similarity_best_adjusted == element_similarities(best[0], best[1])[1]
    assert pair.spearman == rank_correlations(adjacencies)[0, 1]


def test_compare_where_no_unit_is_alive_under_both():
    labels = np.array([[UNUSED, UNUSED, 0, 0], [0, 0, UNUSED, UNUSED]])
    score = compare_forms([np.zeros((4, 4))] * 2, labels, labels)[0, 1]
    assert score.element_similarity == pytest.approx(1)
    assert math.isnan(score.element_similarity_alive)
    assert score.transferability == 0
