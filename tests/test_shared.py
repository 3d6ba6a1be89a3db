"""One partition for two measures: brute force over all partitions, and cases that are known."""

import numpy as np
import pytest

from unit_clusters.clusters.modularity import adjacency, modularity
from unit_clusters.clusters.search import cluster
from unit_clusters.clusters.shared import Side, one_partition, side


def partitions(units):
    """All of them, as restricted growth strings."""
    grown = [[0]]
    for _ in range(units - 1):
        grown = [[*labels, new] for labels in grown for new in range(max(labels) + 2)]
    return np.array(grown)


def blocks(labels, rng, noise=0.3):
    """A~ of units that are more alike within clusters."""
    return adjacency(np.equal.outer(labels, labels) + noise * np.abs(np.cov(rng.standard_normal((len(labels), 10)))))


def best(weights):
    return cluster(weights, np.random.default_rng(0)).labels


def shares(weights, highest, labels):
    return min(modularity(a, labels) / q for a, q in zip(weights, highest, strict=True))


def test_the_share_is_that_of_the_best_of_all_partitions_mostly_and_never_more():
    everywhere, rng, missed = partitions(7), np.random.default_rng(1), 0
    for _ in range(40):
        weights = [blocks(rng.permutation([0, 0, 1, 1, 1, 2, 2]), rng) for _ in range(2)]
        q = np.array([[modularity(a, labels) for labels in everywhere] for a in weights])
        highest = q.max(axis=1)
        truth = (q / highest[:, None]).min(axis=0).max()
        found, labels = one_partition(*(side(a, everywhere[row.argmax()]) for a, row in zip(weights, q, strict=True)))
        assert found == pytest.approx(shares(weights, highest, labels), abs=1e-9)
        assert -1e-9 < found < truth + 1e-9
        missed += found < truth - 1e-9
    assert missed <= 8


@pytest.mark.parametrize("seed", range(3))
def test_a_measure_shares_all_with_itself_and_less_with_another(seed):
    rng = np.random.default_rng(seed)
    one, other = (blocks(rng.permutation(np.arange(40) % 4), rng) for _ in range(2))
    sides = side(one, best(one)), side(other, best(other))
    assert one_partition(sides[0], sides[0])[0] == pytest.approx(1, abs=1e-9)
    share, labels = one_partition(*sides)
    assert share == pytest.approx(
        shares((one, other), (modularity(one, best(one)), modularity(other, best(other))), labels)
    )
    assert 0.2 < share < 0.8
    assert one_partition(*sides[::-1])[0] == pytest.approx(share, abs=0.05)


def test_of_crossing_groups_it_takes_half():
    """Rows and columns of a grid of 2 by 2 large groups: with the four by themselves, either Q is half of its best."""
    rows, columns = np.divmod(np.arange(40) % 4, 2)
    weights = [adjacency(np.equal.outer(groups, groups).astype(float)) for groups in (rows, columns)]
    share, labels = one_partition(*(side(a, groups) for a, groups in zip(weights, (rows, columns), strict=True)))
    four = shares(weights, [modularity(a, g) for a, g in zip(weights, (rows, columns), strict=True)], np.arange(40) % 4)
    assert share == pytest.approx(four, abs=1e-9)
    assert len(set(labels)) == 4


def test_dead_units_take_no_part_and_without_live_ones_it_is_nan():
    rng = np.random.default_rng(3)
    weights = [blocks(np.arange(12) % 3, rng), blocks(np.arange(12) // 4, rng)]
    alone = one_partition(*(side(a, best(a)) for a in weights))[0]
    padded = [np.pad(a, ((2, 0), (2, 0))) for a in weights]
    assert one_partition(*(side(a, best(a)) for a in padded))[0] == pytest.approx(alone, abs=1e-9)
    empty = np.zeros((14, 14))
    for other in (padded[0], empty):
        assert np.isnan(one_partition(side(empty, best(empty)), side(other, best(other)))[0])


@pytest.mark.parametrize("seed", range(5))
def test_searches_do_not_go_on_about_the_rounding_of_large_shares(seed):
    """As where Q* is small; without a scale, the third goes on for ever at a size of 1,000."""
    found = []
    for size in (1e3, 1e6):
        rng, sides = np.random.default_rng(seed), []
        for scale in (1.0, size):
            groups = rng.permutation(40) % 4
            b = rng.standard_normal((40, 40))
            b += b.T
            np.fill_diagonal(b, 0)
            within = np.equal.outer(groups, groups) & ~np.eye(40, dtype=bool)
            b += within * (1 / within.sum() / scale - b[within].mean())
            sides.append(Side(b * scale, groups))
        found.append(one_partition(*sides)[0])
    assert found[0] == pytest.approx(found[1], rel=0.05)


def test_of_hardly_any_modularity_there_is_no_share():
    groups = np.arange(12) // 6
    degrees = blocks(groups, np.random.default_rng(3)).sum(axis=1)
    for q, known in ((1e-6, True), (1e-10, False)):
        weights = np.outer(degrees, degrees) + q * np.where(np.equal.outer(groups, groups), 1, -1) / 72
        assert modularity(weights, groups) == pytest.approx(q, rel=1e-3)
        assert np.isnan(side(weights, groups).shares).any() != known
