"""Agreement between clusterings: known values, the definition written out, and symmetry."""

import math

import numpy as np
import pytest

from unit_clusters.agreement import compare, element_similarity, transferability
from unit_clusters.modularity import UNUSED, adjacency, modularity


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


def test_element_similarity_of_known_cases():
    a = np.array([0, 0, 1, 1])
    assert element_similarity(a, np.array([5, 5, 2, 2])) == pytest.approx(1)
    assert element_similarity(a, np.array([0, 1, 0, 1])) == pytest.approx(0.5)
    assert element_similarity(np.zeros(4, int), np.arange(4)) == pytest.approx(0.25)
    assert math.isnan(element_similarity(np.array([], int), np.array([], int)))


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
    scores = compare(adjacencies, labels)
    assert len(scores) == 28
    assert all(a < b for a, b in scores)
    pair = scores[0, 1]
    assert pair.element_similarity == pytest.approx(by_definition(labels[0], labels[1]))
    assert pair.element_similarity_alive == pytest.approx(by_definition(labels[0, 5:], labels[1, 5:]))
    expected = (modularity(adjacencies[0], labels[1]) + modularity(adjacencies[1], labels[0])) / 2
    assert pair.transferability == pytest.approx(expected)
    assert scores[2, 3].element_similarity == pytest.approx(scores[2, 3].element_similarity_alive)


def test_compare_where_no_unit_is_alive_under_both():
    labels = np.array([[UNUSED, UNUSED, 0, 0], [0, 0, UNUSED, UNUSED]])
    score = compare([np.zeros((4, 4))] * 2, labels)[0, 1]
    assert score.element_similarity == pytest.approx(1)
    assert math.isnan(score.element_similarity_alive)
    assert score.transferability == 0
