import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import entr, softmax

from benchmarks import naive_modularity as naive
from unit_clusters.clusters.modularity import (
    UNUSED,
    adjacency,
    contrast,
    largest_share,
    live_adjacency,
    modularity,
    num_clusters,
)
from unit_clusters.clusters.search import (
    CLEAR,
    ENTROPY,
    MAX_TEMPERATURE,
    MIN_TEMPERATURE,
    _draw,
    _lead,
    _temperature,
    cluster,
    monte_carlo,
    random_partition,
    rare,
    spectral_partition,
)
from unit_clusters.similarity.normalization import normalize

repeatable = settings(derandomize=True, deadline=None)  # the first call of compiled code is slow


def random_similarity(seed, units):
    """The absolute covariance of a few noisy rectified features: dense, with clusters that overlap."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((200, 3)) @ rng.standard_normal((3, units))
    similarity = np.abs(np.cov(np.maximum(features + rng.standard_normal((200, units)), 0).T))
    return normalize(similarity) if seed % 2 else similarity


def sparse_similarity(seed, units):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.random((units, units)) * (rng.random((units, units)) < 0.3))
    return upper + upper.T


def planted(sizes, noise, rng):
    """Blocks of high similarity in a shuffled order; returns the similarity and the planted labels."""
    labels = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    low = noise * rng.random((len(labels), len(labels)))
    return np.equal.outer(labels, labels) + low + low.T, labels


def same_partition(a, b):
    return np.array_equal(np.equal.outer(a, a), np.equal.outer(b, b))


def walk(weights, start, units, uniforms, entropy=ENTROPY):
    return monte_carlo(weights, start, units, uniforms, entropy, rare(entropy))


def choices(seed, units, steps):
    rng = np.random.default_rng(seed)
    return rng.integers(units, size=steps), rng.random(steps)


def similarities(min_units=2, max_units=8):
    """Symmetric matrices of a few distinct values, so that ties and zero rows are common; not all zero."""

    def symmetric(units):
        values = st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.0, 1.0])
        return arrays(float, (units, units), elements=values).map(lambda upper: np.triu(upper, 1) + np.triu(upper, 1).T)

    return st.integers(min_units, max_units).flatmap(symmetric).filter(np.any)


class TestAdjacency:
    def test_by_hand(self):
        weights = adjacency(np.array([[9, 1, 2], [1, 9, 0], [2, 0, 9]], dtype=np.float32))
        assert weights.dtype == np.float64
        np.testing.assert_allclose(weights, np.array([[0, 1, 2], [1, 0, 0], [2, 0, 0]]) / 6)

    @pytest.mark.parametrize(
        ("similarity", "complaint"),
        [
            (np.ones((2, 3)), r"square.*\(2, 3\)"),
            (np.ones(4), r"square.*\(4,\)"),
            (np.array([[1.0, 2.0], [2.1, 1.0]]), "symmetric.*0.1"),
            (np.array([[1.0, -2.0], [-2.0, 1.0]]), "negative.*-2"),
            (np.array([[1.0, np.nan], [np.nan, 1.0]]), "2 entries that are NaN"),
            (np.array([[np.inf, 1.0], [1.0, 1.0]]), "1 entries that are NaN or infinite"),
        ],
    )
    @pytest.mark.usefixtures("unchecked")
    def test_says_what_is_wrong(self, similarity, complaint):
        with pytest.raises(ValueError, match=complaint):
            adjacency(similarity)
        with pytest.raises(ValueError, match=complaint):
            cluster(similarity, np.random.default_rng(0))

    def test_rounding_of_float32_is_symmetrised(self):
        similarity = np.array([[1.0, 2.0], [2.00001, 1.0]])
        weights = adjacency(similarity)
        assert np.array_equal(weights, weights.T)

    def test_all_zero_stays_zero(self):
        assert not adjacency(np.diag([1.0, 2.0])).any()

    @repeatable
    @given(similarities(), st.floats(1e-30, 1e30))
    def test_scale_does_not_matter(self, similarity, scale):
        np.testing.assert_allclose(adjacency(scale * similarity), adjacency(similarity), rtol=1e-12)


class TestModularity:
    def test_one_cluster_is_zero_and_complete_halves_are_one_half(self):
        weights = adjacency(np.kron(np.eye(2), np.ones((3, 3))))
        assert modularity(weights, np.zeros(6, dtype=int)) == pytest.approx(0, abs=1e-15)
        assert modularity(weights, np.repeat([0, 1], 3)) == pytest.approx(0.5, abs=1e-15)


class TestNumClusters:
    @pytest.mark.parametrize(
        ("labels", "expected"),
        [
            ([0, 0, 0], 1.0),
            ([0, 1, 2, 3], 4.0),
            ([0, 0, 0, 1], 4 / 3**0.75),  # e^-(3/4 log 3/4 + 1/4 log 1/4)
            ([0, 0, 0, 1, UNUSED, UNUSED], 4 / 3**0.75),
            ([UNUSED, UNUSED], 0.0),
        ],
    )
    def test_by_hand(self, labels, expected):
        assert num_clusters(np.array(labels)) == pytest.approx(expected)


class TestLargestShare:
    @pytest.mark.parametrize(
        ("labels", "expected"),
        [([4, 4, 4, 1], 0.75), ([0, 1, UNUSED, UNUSED, UNUSED], 0.5), ([UNUSED], np.nan), ([], np.nan)],
    )
    def test_by_hand(self, labels, expected):
        assert largest_share(np.array(labels, dtype=int)) == pytest.approx(expected, nan_ok=True)


class TestContrast:
    def test_by_hand(self):
        """Two pairs and a dead unit: 0.8 and 0.6 within, 0.1 and three times 0.3 between."""
        similarity = np.zeros((5, 5))
        similarity[[0, 2, 0, 0, 1, 1], [1, 3, 2, 3, 2, 3]] = 0.8, 0.6, 0.1, 0.3, 0.3, 0.3
        similarity = similarity + similarity.T + np.diag([9, 9, 9, 9, 0])
        assert contrast(similarity, np.array([0, 0, 1, 1, UNUSED])) == pytest.approx(0.7 - 0.25)

    @pytest.mark.parametrize("seed", range(3))
    def test_is_the_difference_of_means_over_pairs(self, seed):
        similarity = random_similarity(seed, 20).astype(np.float32)
        labels = np.random.default_rng(seed).integers(-1, 4, size=20)
        within, between = [], []
        for i in range(20):
            for j in range(i):
                if UNUSED not in (labels[i], labels[j]):
                    (within if labels[i] == labels[j] else between).append(float(similarity[i, j]))
        assert contrast(similarity, labels) == pytest.approx(np.mean(within) - np.mean(between), rel=1e-5)

    @pytest.mark.parametrize("labels", [[0, 0, 0], [0, 1, 2], [0, UNUSED, UNUSED], [UNUSED] * 3])
    def test_undefined_without_pairs_of_either_kind(self, labels):
        assert np.isnan(contrast(np.ones((3, 3)), np.array(labels)))


class TestLive:
    def test_leaves_out_dead_units_only(self):
        similarity = np.insert(np.insert(sparse_similarity(0, 20) + 0.1, [3, 20], 0, axis=0), [3, 20], 0, axis=1)
        weights, live = live_adjacency(similarity)
        assert list(np.flatnonzero(~live)) == [3, 21]
        assert np.array_equal(weights, adjacency(similarity)[live][:, live])
        assert weights.any(axis=1).all()


class TestRandomPartition:
    def test_labels_are_0_to_k_and_all_numbers_of_clusters_occur(self):
        numbers = []
        for seed in range(300):
            labels = random_partition(60, np.random.default_rng(seed))
            numbers.append(labels.max() + 1)
            assert set(labels) == set(range(numbers[-1]))
            assert np.bincount(labels).max() < 60 / numbers[-1] + 25
        assert set(numbers) == set(range(2, 9))
        assert 20 < np.bincount(numbers)[2:].min() <= np.bincount(numbers).max() < 70

    def test_of_few_units(self):
        for seed in range(20):
            labels = random_partition(3, np.random.default_rng(seed))
            assert set(labels) == set(range(labels.max() + 1))


class TestSpectral:
    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    @pytest.mark.parametrize("units", [2, 3, 5, 9, 14, 20, 64])
    @pytest.mark.parametrize("seed", range(6))
    def test_agrees_with_the_pseudocode(self, make, units, seed):
        similarity = make(seed, units)
        similarity[similarity == 0] = 1e-3  # connected, so that no leading eigenvalue is degenerate
        weights = adjacency(similarity)
        labels = spectral_partition(weights)
        assert np.array_equal(labels, naive.spectral(weights).argmax(axis=1))

    def test_splits_and_stops(self):
        rng = np.random.default_rng(0)
        similarity, labels = planted([8, 8, 8, 8], 0.2, rng)
        assert same_partition(spectral_partition(adjacency(similarity)), labels)
        assert not spectral_partition(adjacency(np.ones((6, 6)))).any()


class TestMonteCarlo:
    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    @pytest.mark.parametrize("units", [2, 3, 4, 6, 10, 20])
    @pytest.mark.parametrize(("start", "entropy"), [("one", 0.15), ("alone", 0.15), ("random", 0.05), ("random", 0.5)])
    def test_moves_as_the_pseudocode_does(self, make, units, start, entropy):
        """The same random choices give the same labels, column for column, and the same best after every step."""
        weights = adjacency(make(units, units) + 0.01)
        chosen, uniforms = choices(units, units, 150)
        random = np.unique(np.random.default_rng(units).integers(units, size=units), return_inverse=True)[1]
        labels = {"one": np.zeros(units, dtype=int), "alone": np.arange(units), "random": random}[start]
        steps = naive.monte_carlo(weights, naive.one_hot(labels), chosen, uniforms, entropy)
        for step, (p, best_q, best_p) in enumerate(steps, start=1):
            best, last = walk(weights, labels, chosen[:step], uniforms[:step], entropy)
            assert np.array_equal(last, p.argmax(axis=1))
            assert same_partition(best, best_p.argmax(axis=1))
            assert modularity(weights, best) == pytest.approx(best_q, abs=1e-13)

    def test_clusters_appear_and_vanish(self):
        """On one of the walks that are compared above; no label between the others is left empty."""
        weights = adjacency(random_similarity(6, 6) + 0.01)
        chosen, uniforms = choices(6, 6, 150)
        walked = [walk(weights, np.arange(6), chosen[:steps], uniforms[:steps])[1] for steps in range(151)]
        occupied = [len(np.unique(labels)) for labels in walked]
        assert occupied == [labels.max() + 1 for labels in walked]
        assert set(np.diff(occupied)) == {-1, 0, 1}

    def test_proposals_not_drawn_count_for_the_best(self):
        """From two clusters of a connected pair, the best is the proposal that joins them, whatever is drawn."""
        weights = adjacency(np.array([[0.0, 1.0, 0.1], [1.0, 0.0, 0.1], [0.1, 0.1, 0.0]]))
        start = np.array([0, 1, 2])
        best, last = walk(weights, start, np.array([0]), np.array([0.0]))
        assert list(last) == [0, 1, 2]
        assert same_partition(best, [0, 0, 1])

    def test_rounding_does_not_decide_between_equals(self):
        """Unit 0 is linked to two like pairs by 0.1 + 0.2 and by 0.3: of these equals, the start stays best."""
        similarity = np.zeros((5, 5))
        similarity[[0, 0, 0, 1, 3], [1, 2, 3, 2, 4]] = 0.1, 0.2, 0.3, 1, 1
        weights = adjacency(similarity + similarity.T)
        start = np.array([1, 0, 0, 1, 1])
        assert 0.1 + 0.2 > 0.3
        best, _ = walk(weights, start, np.array([0, 0]), np.array([0.1, 0.1]))
        assert np.array_equal(best, start)

    @repeatable
    @given(similarities(), st.data())
    def test_best_is_the_highest_q_on_the_way(self, similarity, data):
        """Ties and zero rows included: every proposal's Q, in full, is at most that of the best."""
        weights = adjacency(similarity)
        chosen, uniforms = choices(data.draw(st.integers(0, 99)), len(weights), 30)
        labels = np.zeros(len(weights), dtype=int)
        highest = modularity(weights, labels)
        for unit, uniform in zip(chosen, uniforms, strict=True):
            p = naive.one_hot(labels)
            for column in range(naive.proposed_columns(p, unit)):
                highest = max(highest, modularity(weights, naive.reassigned(p, unit, column).argmax(axis=1)))
            _, labels = walk(weights, labels, np.array([unit]), np.array([uniform]))
            assert set(labels) == set(range(labels.max() + 1))
        best, _ = walk(weights, np.zeros_like(labels), chosen, uniforms)
        assert modularity(weights, best) == pytest.approx(highest, abs=1e-11)

    def test_no_drift_over_many_steps(self):
        """Gains kept up to date for 20,000 steps lead to the same labels as gains computed anew every 100."""
        weights = adjacency(random_similarity(2, 40))
        chosen, uniforms = choices(0, 40, 20_000)
        start = np.zeros(40, dtype=int)
        _, whole = walk(weights, start, chosen, uniforms)
        pieces = start
        for i in range(0, 20_000, 100):
            _, pieces = walk(weights, pieces, chosen[i : i + 100], uniforms[i : i + 100])
        assert np.array_equal(whole, pieces)


class TestMoves:
    GAINS = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=12).map(np.array)
    ENTROPIES = st.sampled_from([0.001, 0.05, ENTROPY, 0.5, 0.9])

    @repeatable
    @given(GAINS, ENTROPIES)
    def test_entropy_is_the_target_or_the_temperature_is_clamped(self, gains, target):
        temperature = _temperature(gains, gains.argmax(), target)
        entropy = entr(softmax(gains / temperature)).sum()
        if temperature == MIN_TEMPERATURE:
            assert entropy >= target - 1e-9
        elif temperature == MAX_TEMPERATURE:
            assert entropy <= target + 1e-9
        else:
            assert entropy == pytest.approx(target, abs=1e-9)

    @pytest.mark.parametrize("options", [2, 3, 10, 100])
    @pytest.mark.parametrize("scale", [1e-4, 1e-2, 1.0])
    def test_temperature_is_precise(self, options, scale):
        gains = scale * np.random.default_rng(options).random(options)
        gains[0] = scale * 1.5
        entropy = entr(softmax(gains / _temperature(gains, 0, ENTROPY))).sum()
        assert entropy == pytest.approx(ENTROPY, abs=1e-12)

    def test_ties_and_single_options_are_clamped(self):
        assert _temperature(np.array([0.1, 0.1, 0.0]), 0, ENTROPY) == MIN_TEMPERATURE
        assert _temperature(np.array([0.1]), 0, ENTROPY) == MAX_TEMPERATURE

    @repeatable
    @given(GAINS, st.floats(0, 1, exclude_max=True), ENTROPIES)
    def test_draws_by_the_inverse_of_the_cumulative_distribution(self, gains, uniform, entropy):
        """The short cut for likely draws included."""
        top = gains.argmax()
        cumulative = np.cumsum(softmax(gains / _temperature(gains, top, entropy)))
        option = _draw(gains, top, uniform, entropy, rare(entropy))
        assert uniform <= cumulative[option] + 1e-9
        assert uniform >= (cumulative[option - 1] if option else 0) - 1e-9

    def test_rare_is_the_unlikelier_of_two_options(self):
        for entropy in (0.001, 0.05, ENTROPY, 0.5, 0.69):
            assert 0 < rare(entropy) < 0.5
            assert entr([rare(entropy), 1 - rare(entropy)]).sum() == pytest.approx(entropy, abs=1e-14)
        assert rare(ENTROPY) == pytest.approx(0.0345, abs=5e-5)
        assert rare(0.7) == 0.5  # two options have log 2 at most

    def test_a_clear_lead_can_have_any_entropy_that_the_configuration_allows(self):
        gains = np.full(1000, -CLEAR * 1.01)
        gains[5] = 0
        assert _lead(gains, 5) > CLEAR
        assert _temperature(gains, 5, 0.001) > MIN_TEMPERATURE


class TestCluster:
    @pytest.mark.parametrize("units", [2, 3, 5, 7, 8])
    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    def test_finds_the_optimum_of_few_units(self, make, units):
        for seed in range(3):
            similarity = make(seed, units) + 1e-3
            best = naive.best_partition(adjacency(similarity))
            assert cluster(similarity, np.random.default_rng(seed)).q == pytest.approx(best, abs=1e-12)

    def test_known_optimum_of_the_karate_club(self):
        """Q = 0.4198 for the unweighted graph (Brandes et al., 2008)."""
        similarity = nx.to_numpy_array(nx.karate_club_graph(), weight=None)
        q = [cluster(similarity, np.random.default_rng(seed)).q for seed in range(10)]
        assert max(q) == pytest.approx(0.4198, abs=1e-4)

    @pytest.mark.parametrize("sizes", [[32, 32], [20, 12, 8], [20, 15, 12, 10, 7]])
    def test_finds_planted_clusters(self, sizes):
        similarity, labels = planted(sizes, 0.1, np.random.default_rng(3))
        found = cluster(similarity, np.random.default_rng(0))
        assert same_partition(found.labels, labels)
        assert list(np.bincount(found.labels)) == sizes
        assert found.used_clusters == len(sizes)

    @pytest.mark.parametrize("seed", range(5))
    def test_what_it_reports(self, seed):
        similarity = random_similarity(seed, 30)
        found = cluster(similarity, np.random.default_rng(seed), steps=500)
        weights = adjacency(similarity)
        assert found.q == pytest.approx(modularity(weights, found.labels), abs=1e-15)
        assert found.q_spectral == pytest.approx(modularity(weights, spectral_partition(weights)), abs=1e-15)
        assert found.q >= found.q_spectral
        assert found.num_clusters == num_clusters(found.labels)
        assert found.used_clusters == len(set(found.labels))
        sizes = np.bincount(found.labels)
        assert (np.diff(sizes) <= 0).all()
        first = [np.flatnonzero(found.labels == label)[0] for label in range(len(sizes))]
        assert all(a < b for a, b, tie in zip(first, first[1:], np.diff(sizes) == 0, strict=False) if tie)

    def test_same_stream_same_result(self):
        similarity = random_similarity(1, 30)
        runs = [cluster(similarity, np.random.default_rng(seed)).labels for seed in (4, 4)]
        assert np.array_equal(*runs)

    def test_steps_count(self):
        """No step leaves the spectral start; more steps of the same stream's walk do better here."""
        similarity = random_similarity(2, 40)
        start = cluster(similarity, np.random.default_rng(0), steps=0)
        assert start.q == start.q_spectral
        assert cluster(similarity, np.random.default_rng(0)).q > start.q

    @pytest.mark.parametrize("dead", [[0], [3, 3, 30], [0, 5, 6, 30]])
    def test_dead_units_change_nothing(self, dead):
        similarity = random_similarity(4, 30)
        alive = cluster(similarity, np.random.default_rng(9))
        padded = np.insert(np.insert(similarity, dead, 0, axis=0), dead, 0, axis=1)
        np.fill_diagonal(padded, 1)
        found = cluster(padded, np.random.default_rng(9))
        unused = found.labels == UNUSED
        assert np.array_equal(unused, np.insert(np.zeros(30, dtype=bool), dead, True))
        assert np.array_equal(found.labels[~unused], alive.labels)
        assert found.dead_units == len(dead)
        assert found[1:-1] == pytest.approx(alive[1:-1], abs=1e-14)

    @pytest.mark.parametrize("units", [1, 2, 5])
    def test_no_similar_units(self, units):
        found = cluster(np.eye(units), np.random.default_rng(0))
        assert list(found.labels) == [UNUSED] * units
        assert found[1:] == (0.0, 0.0, 0.0, 0, units)

    @pytest.mark.parametrize("units", [2, 3, 10])
    def test_equal_entries_are_one_cluster(self, units):
        found = cluster(np.ones((units, units)), np.random.default_rng(0))
        assert not found.labels.any()
        assert found[1:] == pytest.approx((0.0, 0.0, 1.0, 1, 0), abs=1e-14)
