"""Restarts and other searches: known optima, the tabu search written out, and what is reported."""

import math
from random import Random

import igraph
import leidenalg
import networkx as nx
import numpy as np
import pytest
from test_modularity import planted, random_similarity, same_partition, sparse_similarity

from benchmarks import naive_modularity as naive
from unit_clusters.clusters.leiden import leiden, leiden_graph
from unit_clusters.clusters.modularity import EQUAL, UNUSED, adjacency, modularity
from unit_clusters.clusters.restarts import _partitions, restarts
from unit_clusters.clusters.search import (
    ENTROPY,
    PATIENCE,
    TENURE,
    _dealt_anew,
    cluster,
    iterated_tabu_search,
    random_partition,
    spectral_partition,
    tabu_search,
)
from unit_clusters_paper.results.other_searches import LEIDEN_RUNS, SHARE, other_searches


def streams(number):
    return [np.random.default_rng(seed) for seed in range(number)]


def chosen_stream():
    """A stream by which a matrix is among those that other searches see."""
    return next(np.random.default_rng(s) for s in range(999) if np.random.default_rng(s).random() < SHARE)


class TestTabuSearch:
    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    @pytest.mark.parametrize("units", [2, 3, 5, 10, 16])
    @pytest.mark.parametrize("clusters", [1, 4, 16])
    def test_walks_as_written_out(self, make, units, clusters):
        weights = adjacency(make(units, units) + 0.01)
        start = np.arange(units) % clusters
        best, q = tabu_search(weights, weights.sum(axis=1), start)
        expected_q, expected = naive.tabu_search(weights, start, int(PATIENCE * units), int(TENURE * units) + 1)
        assert q == pytest.approx(expected_q, abs=1e-13)
        assert same_partition(best, expected.argmax(axis=1))

    @pytest.mark.parametrize("seed", range(5))
    def test_no_single_move_improves_what_it_finds(self, seed):
        weights = adjacency(random_similarity(seed, 40))
        best, q = tabu_search(weights, weights.sum(axis=1), np.arange(40) % 5)
        assert q == pytest.approx(modularity(weights, best), abs=1e-13)
        assert set(best) == set(range(best.max() + 1))
        for unit in range(40):
            for label in range(best.max() + 2):
                moved = best.copy()
                moved[unit] = label
                assert modularity(weights, moved) <= q + 1e-11

    @pytest.mark.parametrize("units", [2, 3, 5, 7, 8])
    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    def test_with_deals_it_finds_the_optimum_of_few_units(self, make, units):
        for seed in range(3):
            weights = adjacency(make(seed, units) + 1e-3)
            best = iterated_tabu_search(
                weights, weights.sum(axis=1), np.zeros(units, dtype=int), 20, np.random.default_rng(seed)
            )
            assert modularity(weights, best) == pytest.approx(naive.best_partition(weights), abs=1e-12)

    def test_it_takes_any_matrix_b_with_degrees_of_0(self):
        weights = adjacency(random_similarity(1, 30))
        b = weights - np.outer(weights.sum(axis=1), weights.sum(axis=1))
        np.fill_diagonal(b, 0)
        for seed in range(5):
            found = [
                iterated_tabu_search(matrix, degrees, np.arange(30) % 4, 5, np.random.default_rng(seed))
                for matrix, degrees in ((weights, weights.sum(axis=1)), (b, np.zeros(30)))
            ]
            assert same_partition(*found)

    def test_deals_never_lose_and_here_gain(self):
        weights = adjacency(sparse_similarity(4, 100))
        degrees, start = weights.sum(axis=1), np.arange(100) % 2
        found = [iterated_tabu_search(weights, degrees, start, n, np.random.default_rng(1)) for n in range(12)]
        q = [modularity(weights, labels) for labels in found]
        assert (np.diff(q) >= 0).all()
        assert q[-1] > q[0]


class TestDeals:
    def test_two_clusters_are_dealt_the_others_stay(self):
        labels = np.repeat([0, 1, 2, 3], 8)
        rng = np.random.default_rng(0)
        dealt_pairs = set()
        for _ in range(200):
            dealt = _dealt_anew(labels, rng)
            assert set(dealt) == set(range(dealt.max() + 1))
            broken = [label for label in range(4) if len(set(dealt[labels == label])) > 1]
            assert 1 <= len(broken) <= 2
            assert len(set(dealt[np.isin(labels, broken)])) == 2
            for label in set(range(4)) - set(broken):
                assert same_partition(dealt == dealt[labels == label][0], labels == label)
            dealt_pairs.add(tuple(broken))
        assert len(dealt_pairs) == 4 + 6  # each cluster with an empty one, and each two

    def test_of_single_units(self):
        rng = np.random.default_rng(0)
        found = {tuple(_dealt_anew(np.arange(2), rng)) for _ in range(50)}
        assert found == {(0, 0), (0, 1)}


def single(similarity, q=None):
    """The paper's single run, or one that says it has found this Q."""
    found = cluster(similarity, np.random.default_rng(0))
    return found if q is None else found._replace(q=q)


class TestRestarts:
    def test_known_optimum_of_the_karate_club_in_each_restart(self):
        """Q = 0.4198 for the unweighted graph (Brandes et al., 2008)."""
        graph = nx.to_numpy_array(nx.karate_club_graph(), weight=None)
        found, partitions = restarts(graph, single(graph, 0.3), streams(10))
        assert found.q_best == pytest.approx(0.4198, abs=1e-4)
        assert found.best_restarts == 10
        assert found.q_spread == pytest.approx(0, abs=1e-12)
        for labels in (partitions.best, *partitions.halves):
            assert modularity(adjacency(graph), labels) == pytest.approx(0.4198, abs=1e-4)

    @pytest.mark.parametrize("make", [random_similarity, sparse_similarity])
    @pytest.mark.parametrize("seed", range(3))
    def test_no_worse_than_leiden(self, make, seed):
        weights = adjacency(make(seed, 64))
        graph = leiden_graph(weights)
        peer = max(modularity(weights, leiden(graph, run)) for run in range(LEIDEN_RUNS))
        assert restarts(weights, single(weights), streams(10))[0].q_best >= peer - EQUAL

    def test_the_single_run_counts_for_the_best(self):
        similarity = random_similarity(1, 30)
        low, high = single(similarity, 0.0), single(similarity, 0.9)
        found, partitions = restarts(similarity, low, streams(4))
        assert found.best_restarts >= 1
        assert found.q_best >= single(similarity).q - 1e-12
        assert modularity(adjacency(similarity), partitions.best) == pytest.approx(found.q_best, abs=1e-15)
        numbers, partitions = restarts(similarity, high, streams(4))
        assert numbers == (0.9, found.q_spread, 0)
        assert np.array_equal(partitions.best, high.labels)

    def test_spread_count_and_halves_are_those_of_the_restarts(self):
        """Random graphs have many optima; and each restart is the same, whatever others there are."""
        similarity = sparse_similarity(14, 128)
        low = single(similarity, -1.0)
        q = [restarts(similarity, low, streams(number), steps=0)[0].q_best for number in range(1, 7)]
        found, partitions = restarts(similarity, low, streams(6), steps=0)
        assert (np.diff(q) >= 0).all()
        assert found.q_best == q[-1]
        one, alone = restarts(similarity, low, streams(1), steps=0)
        assert one.q_spread == 0
        assert one.best_restarts == 1
        assert (alone.halves == UNUSED).all()
        assert found == restarts(similarity, low, streams(6), steps=0)[0]
        assert 0 < found.q_spread < 0.01
        assert 1 <= found.best_restarts < 6
        halves = [modularity(adjacency(similarity), labels) for labels in partitions.halves]
        assert halves[0] == pytest.approx(q[2], abs=1e-15)
        assert max(halves) == pytest.approx(q[-1], abs=1e-15)
        assert not same_partition(*partitions.halves)

    def test_of_an_odd_number_the_second_half_has_one_more(self):
        similarity = sparse_similarity(5, 64)  # the third of five restarts is the best
        weights, low = adjacency(similarity), single(similarity, -1.0)
        q = [modularity(weights, labels) for labels in _partitions(weights, streams(5), 0, ENTROPY)]
        halves = restarts(similarity, low, streams(5), steps=0)[1].halves
        assert [modularity(weights, labels) for labels in halves] == [max(q[:2]), max(q[2:])]
        assert np.argmax(q) == 2

    def test_they_start_from_the_spectral_and_a_random_partition_in_turn(self, monkeypatch):
        monkeypatch.setattr("unit_clusters.clusters.restarts.DEALS", 0)
        weights = adjacency(sparse_similarity(2, 40))
        spectral, random = spectral_partition(weights), [random_partition(40, stream) for stream in streams(4)]
        found = _partitions(weights, streams(4), 0, ENTROPY)
        for labels, start in zip(found, (spectral, random[1], spectral, random[3]), strict=True):
            assert np.array_equal(labels, tabu_search(weights, weights.sum(axis=1), start)[0])
        assert len(np.unique(found, axis=0)) == 3

    def test_without_restarts_and_without_live_units(self):
        run = single(np.ones((3, 3)))
        numbers, partitions = restarts(np.ones((3, 3)), run, [])
        assert numbers.q_best == run.q
        assert math.isnan(numbers.q_spread)
        assert math.isnan(numbers.best_restarts)
        assert np.array_equal(partitions.best, run.labels)
        assert (partitions.halves == UNUSED).all()
        numbers, partitions = restarts(np.eye(3), single(np.eye(3)), streams(2))
        assert numbers == (0, 0, 2)
        assert all((labels == UNUSED).all() for labels in partitions)

    def test_dead_units_change_nothing(self):
        similarity, dead = random_similarity(4, 30), [0, 9]
        padded = np.insert(np.insert(similarity, dead, 0, axis=0), dead, 0, axis=1)
        (found, partitions), (alive, of_alive) = (restarts(s, single(s), streams(3)) for s in (padded, similarity))
        assert found == pytest.approx(alive, abs=1e-14)
        for labels, expected in zip(partitions, of_alive, strict=True):
            assert np.array_equal(labels, np.insert(expected, dead, UNUSED, axis=-1))


def leidenalg_run(graph, seed):
    kind = leidenalg.ModularityVertexPartition
    return np.array(leidenalg.find_partition(graph, kind, weights="weight", seed=seed).membership)


class TestLeiden:
    def test_graph_has_the_weights(self):
        weights = adjacency(sparse_similarity(3, 20))
        expected = igraph.Graph.Weighted_Adjacency(weights, mode="undirected")
        assert np.array_equal(leiden_graph(weights).get_adjacency_sparse("weight").toarray(), weights)
        assert leiden_graph(weights).ecount() == expected.ecount()

    def test_is_as_good_as_leidenalg(self):
        """On the mean of several matrices, both of single runs and of the best of them."""
        mean, best = [], []
        for seed in range(8):
            weights = adjacency(random_similarity(seed, 40))
            graph = leiden_graph(weights)
            q = [[modularity(weights, run(graph, n)) for n in range(LEIDEN_RUNS)] for run in (leiden, leidenalg_run)]
            mean.append(np.mean(q[0]) - np.mean(q[1]))
            best.append(max(q[0]) - max(q[1]))
        assert np.mean(mean) > -1e-3
        assert np.mean(best) > -1e-3

    def test_same_seed_same_labels(self):
        graph = leiden_graph(adjacency(sparse_similarity(4, 100)))
        runs = [leiden(graph, seed) for seed in (1, 2, 3, 1)]
        assert np.array_equal(runs[0], runs[3])
        assert not np.array_equal(runs[0], runs[1]) or not np.array_equal(runs[0], runs[2])

    def test_iterations_are_as_many_as_igraph_takes_unasked_and_more_do_not_lose(self):
        weights = adjacency(sparse_similarity(3, 128))
        graph, q = leiden_graph(weights), []
        for seed in range(10):
            igraph.set_random_number_generator(Random(seed))
            unasked = graph.community_leiden("modularity", weights="weight").membership
            assert np.array_equal(leiden(graph, seed), unasked)
            q.append([modularity(weights, leiden(graph, seed, iterations)) for iterations in (1, 2, 3, -1)])
        assert (np.diff(q) >= -1e-12).all()
        assert (np.diff(np.mean(q, axis=0)) > 0).all()


class TestOtherSearches:
    def test_on_a_share_of_the_matrices(self):
        similarity, labels = planted([2, 2], 0.1, np.random.default_rng(0))
        found = [other_searches(similarity, labels, np.random.default_rng(seed), steps=50) for seed in range(600)]
        seen = [not math.isnan(one.q_leiden) for one in found]
        assert 0.5 * SHARE < np.mean(seen) < 1.5 * SHARE
        assert all(np.isnan(one).all() != use for one, use in zip(found, seen, strict=True))

    @pytest.mark.parametrize("units", [2, 5, 8])
    def test_optimum_of_few_units(self, units):
        similarity = random_similarity(1, units) + 1e-3
        found = other_searches(similarity, np.arange(units), chosen_stream())[:3]
        assert found == pytest.approx([naive.best_partition(adjacency(similarity))] * 3, abs=1e-12)

    def test_more_steps_from_one_cluster_do_better_here(self):
        similarity, labels = random_similarity(2, 128), np.zeros(128, int)
        found = other_searches(similarity, labels, chosen_stream(), steps=20_000)
        assert 0 < found.q_from_one_cluster < found.q_from_one_cluster_full
        assert other_searches(similarity, labels, chosen_stream(), steps=0).q_from_one_cluster_full == pytest.approx(
            0, abs=1e-12
        )
        assert other_searches(similarity, labels, chosen_stream(), steps=20_000) == found

    def test_without_live_units(self):
        assert other_searches(np.eye(3), np.full(3, UNUSED), chosen_stream()) == (0, 0, 0, 0)


def test_leiden_finds_planted_clusters_and_its_seed_reaches_all_its_randomness():
    similarity, labels = planted([20, 12, 8], 0.1, np.random.default_rng(3))
    graph = igraph.Graph.Weighted_Adjacency(adjacency(similarity), mode="undirected")
    assert same_partition(leiden(graph, 0), labels)
    graph = igraph.Graph.Weighted_Adjacency(adjacency(random_similarity(2, 128)), mode="undirected")
    runs = [leiden(graph, seed) for seed in (*range(10), *range(10))]
    assert all(np.array_equal(a, b) for a, b in zip(runs[:10], runs[10:], strict=True))
    assert not all(np.array_equal(runs[0], other) for other in runs[1:10])
