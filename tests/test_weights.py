"""Modularity of the graph of weights: planted truths, and the graph written out."""

from itertools import pairwise

import numpy as np
import pytest

from unit_clusters.clusters.modularity import adjacency, modularity
from unit_clusters_paper.networks import ensemble
from unit_clusters_paper.results.weights import read_weights, weight_graph, weight_rows

SETTINGS = {"steps": 500, "entropy": 0.15}
RUN = {"id": "run", "seed": 0}


def test_the_graph_joins_each_unit_to_those_of_the_layer_before():
    weights = [np.array([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]]), np.array([[7.0, 8.0]])]
    graph = weight_graph(weights)
    assert graph.shape == (6, 6)
    edges = {(0, 3): 1, (1, 3): 2, (2, 3): 3, (0, 4): 4, (1, 4): 5, (2, 4): 6, (3, 5): 7, (4, 5): 8}
    for i in range(6):
        for j in range(6):
            assert graph[i, j] == edges.get((i, j), edges.get((j, i), 0))


def test_two_separate_networks_in_one_have_q_of_one_half_and_all_zero_weights_0():
    apart = [np.kron(np.eye(2), np.ones((5, 10)))[None], np.kron(np.eye(2), np.ones((3, 5)))[None]]
    (row,) = weight_rows(apart, [RUN], SETTINGS)
    assert row == RUN | {"q_weights": pytest.approx(0.5)}
    (row,) = weight_rows([0 * weights for weights in apart], [RUN], SETTINGS)
    assert row["q_weights"] == 0


def test_q_is_at_least_that_of_the_planted_clusters():
    random = np.random.default_rng(0)
    groups = [np.arange(units) % 3 for units in (60, 30, 9)]
    weights = [
        random.standard_normal((len(above), len(below))) * np.where(np.equal.outer(above, below), 1, 0.2)
        for below, above in pairwise(groups)
    ]
    (row,) = weight_rows([weight[None] for weight in weights], [RUN], SETTINGS)
    planted = modularity(adjacency(weight_graph(weights)), np.concatenate(groups))
    assert planted - 1e-9 < row["q_weights"] < planted + 0.1


def test_weights_are_read_as_they_were_saved(tmp_path):
    networks = ensemble.initialize((12, 5, 4, 3), [0, 1])
    ensemble.save(networks, ["a", "b"], tmp_path / "networks.safetensors")
    found = read_weights(tmp_path / "networks.safetensors")
    assert len(found) == 3
    for weights, expected in zip(found, networks.weights, strict=True):
        np.testing.assert_array_equal(weights, expected.numpy())
    (tmp_path / "networks.safetensors").write_bytes(b"cut off")
    with pytest.raises(ValueError, match=r"networks\.safetensors is not a whole file of networks"):
        read_weights(tmp_path / "networks.safetensors")
