"""Turned axes as a null model, and soft clusters: planted truths, and Q by its definition."""

import numpy as np
import pytest

from unit_clusters.clusters import soft
from unit_clusters.clusters.agreement import element_similarities
from unit_clusters.clusters.modularity import adjacency, modularity
from unit_clusters.clusters.search import cluster
from unit_clusters.clusters.soft import _nearest, soft_gain, soft_units
from unit_clusters.clusters.turned import rotation, turned, turned_clusters
from unit_clusters.similarity.measures import MEASURES, Form, in_form
from unit_clusters_paper.results.clustering import search_layers
from unit_clusters_paper.results.comparison import compare_layers
from unit_clusters_paper.results.turned_axes import rotation_of, turned_in

UNITS = 40
FORMS = [Form("cov", False), Form("cov", True)]


def rngs(number, *seed):
    return [np.random.default_rng([*seed, n]) for n in range(number)]


def q_and_turned(signed, form, number=10):
    """Q of the units, and in turned axes."""
    found = cluster(in_form(signed, form), np.random.default_rng(0))
    live = found.labels >= 0
    rotations = [rotation(int(live.sum()), rng) for rng in rngs(number, 1)]
    rotated = turned_clusters(signed, form, live, rotations, rngs(number, 2))
    return found.q, np.array([clusters.q for clusters in rotated])


def noise(samples=100):
    """The sample covariance of independent units: its spectrum is broad, and its axes are nothing special."""
    return np.cov(np.random.default_rng(3).standard_normal((UNITS, samples)))


@pytest.mark.parametrize("form", FORMS)
def test_planted_blocks_stand_far_out_and_isotropic_noise_does_not(form):
    blocks = np.kron(np.eye(4), np.ones((UNITS // 4,) * 2))
    q, rotated = q_and_turned(blocks + noise(), form)
    assert q > rotated.mean() + 10 * rotated.std()
    q, rotated = q_and_turned(noise(), form)
    assert abs(q - rotated.mean()) < 3 * rotated.std()


def test_rotations_are_of_haars_measure_and_keep_the_spectrum():
    found = np.array([rotation(3, rng) for rng in rngs(4000)])
    np.testing.assert_allclose(found @ found.mT, np.broadcast_to(np.eye(3), found.shape), atol=1e-12)
    # of an entry, the mean is 0, the mean square 1/3, and it is uniform over [-1, 1] in three dimensions
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=4 / np.sqrt(3 * 4000))
    np.testing.assert_allclose(np.mean(np.abs(found) < 0.5, axis=0), 0.5, atol=4 / np.sqrt(4 * 4000))
    matrix = noise()
    np.testing.assert_allclose(
        np.linalg.eigvalsh(turned(matrix, rotation(UNITS, np.random.default_rng(0)))), np.linalg.eigvalsh(matrix)
    )


@pytest.mark.parametrize("form", FORMS)
def test_dead_units_take_no_part(form):
    matrix = noise()
    with_dead = np.zeros((UNITS + 3,) * 2)
    with_dead[3:, 3:] = matrix
    q, rotated = q_and_turned(matrix, form, 2)
    assert (q, *rotated) == (pytest.approx(q_and_turned(with_dead, form, 2)[0]), *q_and_turned(with_dead, form, 2)[1])


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("units", [0, 1, 8])
def test_a_multiple_of_the_identity_gives_0(form, units):
    (found,) = turned_clusters(np.eye(units) * 3, form, np.ones(units, bool), [rotation(units, *rngs(1))], rngs(1))
    assert (found.q, found.dead_units) == (0, units)


def test_as_many_units_of_a_layer_are_turned_alike():
    one, other = noise(), noise(50)
    turn = rotation_of("run", 1, UNITS, 0)
    assert np.array_equal(turn, rotation_of.__wrapped__("run", 1, UNITS, 0))
    for elsewhere in (("run", 2, UNITS, 0), ("another", 1, UNITS, 0), ("run", 1, UNITS, 1)):
        assert not np.allclose(turn, rotation_of(*elsewhere))
    np.testing.assert_allclose(turned(one, turn) + turned(other, turn), turned(one + other, turn))


def test_of_two_measures_the_units_that_are_live_under_both_are_turned_alike():
    """Unit 0 is dead under cov alone: pairs with cov are of the other units, the others of all."""
    random = np.random.default_rng(0)
    signed = {measure: np.cov(random.standard_normal((8, 30))) for measure in MEASURES}
    signed["cov"][0] = signed["cov"][:, 0] = 0
    settings = {"steps": 100, "entropy": 0.15, "restarts": 0, "rotations": 3}
    layers, run = [[signed]], {"id": "run"}
    labels, rows = search_layers(layers, [[(signed, signed)]], [run], settings)
    agreement, _ = compare_layers(layers, labels, [run], settings)
    everywhere = np.ones(8, bool)
    for a, b, units in (("cov", "hess", everywhere ^ (np.arange(8) == 0)), ("i_sens", "hess", everywhere)):
        pair = [turned_in("run", 1, signed[m], Form(m, False), units, settings) for m in (a, b)]
        scores = [element_similarities(one.labels, other.labels)[1] for one, other in zip(*pair, strict=True)]
        (row,) = (
            row
            for row in agreement
            if (row["measure_a"], row["measure_b"], row["normalized_a"], row["normalized_b"]) == (a, b, False, False)
        )
        assert row["element_similarity_rotated"] == pytest.approx(np.mean(scores), abs=1e-12)
        assert rows[2 * MEASURES.index(b)]["q_rotated"] == pytest.approx(
            np.mean([one.q for one in turned_in("run", 1, signed[b], Form(b, False), everywhere, settings)])
        )


def test_unrelated_matrices_share_less_of_their_modularity_than_like_ones():
    """Two measures of the same planted blocks: one partition serves both, unless one of them is turned."""
    random, groups = np.random.default_rng(0), np.arange(UNITS) % 4
    like = {m: np.equal.outer(groups, groups) + 0.5 * np.cov(random.standard_normal((UNITS, 50))) for m in MEASURES}
    like["hess"] = like["hess"] * 0.0
    settings = {"steps": 500, "entropy": 0.15, "restarts": 2, "rotations": 1}
    layers, run = [[like]], {"id": "run"}
    labels, _ = search_layers(layers, [[(like, like)]], [run], settings)
    rows, _ = compare_layers(layers, labels, [run], settings)
    for row in rows:
        if "hess" in (row["measure_a"], row["measure_b"]):
            assert np.isnan((row["one_partition"], row["one_partition_unrelated"])).all()
        else:
            assert row["one_partition"] > 0.9 > 0.75 > row["one_partition_unrelated"] > 0.1
    rows, _ = compare_layers(layers, labels, [run], settings | {"rotations": 0})
    assert np.isnan([row["one_partition_unrelated"] for row in rows]).all()


# Soft clusters


def soft_q(weights, shares):
    """Eq. (6) as it is written."""
    degrees = weights.sum(axis=1)
    return np.trace(shares.T @ (weights - np.outer(degrees, degrees)) @ shares)


def would_be_divided(weights, shares, unit):
    """Whether some small part of the unit in another cluster, or in an empty one, gains Q."""
    own = shares[unit].argmax()
    for other in range(shares.shape[1]):
        moved = shares.copy()
        moved[unit, own], moved[unit, other] = 1 - 1e-4, 1e-4
        if other != own and soft_q(weights, moved) > soft_q(weights, shares) + 1e-15:
            return True
    return False


@pytest.mark.parametrize("seed", range(6))
def test_units_that_would_rather_be_divided_are_those_whose_small_part_gains(seed):
    random = np.random.default_rng(seed)
    factors = random.random((20, 3)) ** 3
    similarity = np.pad(factors @ factors.T, (0, 1))  # with a dead unit
    found = cluster(similarity, np.random.default_rng(seed))
    weights, labels = adjacency(similarity), found.labels
    shares = np.eye(labels.max() + 2)[labels[:-1]]
    divided = sum(would_be_divided(weights[:-1, :-1], shares, unit) for unit in range(20))
    assert soft_units(similarity, labels) == divided
    gain = soft_gain(similarity, labels)
    assert (gain > 1e-12) == (divided > 0)
    assert gain < 0.05


def test_a_unit_halfway_between_two_clusters_is_divided_with_a_gain_that_is_known():
    """Two pairs of units and one that is linked to all four: Q of a division (1 - t, t) is largest at t = 1/2."""
    similarity = np.zeros((5, 5))
    similarity[[0, 1, 2, 3], [1, 0, 3, 2]] = 1
    similarity[4, :4] = similarity[:4, 4] = 0.2
    labels = np.array([0, 0, 1, 1, 0])
    weights = adjacency(similarity)
    half = np.eye(2)[labels]
    half[4] = 0.5
    assert soft_units(similarity, labels) >= 1
    assert soft_gain(similarity, labels) >= soft_q(weights, half) - modularity(weights, labels) - 1e-12
    assert soft_units(np.zeros((3, 3)), np.full(3, -1)) == soft_gain(np.zeros((3, 3)), np.full(3, -1)) == 0


def test_the_ascent_ends_with_a_round_that_gains_nothing(monkeypatch):
    """From the clusters themselves with the first; from each unit alone, where Q is below 0, with a later one."""
    similarity = np.kron(np.eye(2), np.ones((4, 4)))
    rounds = []
    for labels in (np.repeat([0, 1], 4), np.arange(8)):
        asked = []
        monkeypatch.setattr(soft, "_nearest", lambda point, asked=asked: asked.append(point) or _nearest(point))
        gain = soft_gain(similarity, labels)
        assert modularity(adjacency(similarity), labels) + gain == pytest.approx(0.5)
        rounds.append(len(asked) / 8)
    assert rounds[0] == 1
    assert 2 <= rounds[1] < 100


def test_the_nearest_point_of_the_simplex():
    random = np.random.default_rng(0)
    points = random.dirichlet(np.ones(4), 20_000)
    for _ in range(10):
        point = random.normal(0, 1, 4)
        found = _nearest(point)
        assert found.min() >= 0
        assert found.sum() == pytest.approx(1)
        assert np.sum((found - point) ** 2) <= np.min(np.sum((points - point) ** 2, axis=1))
