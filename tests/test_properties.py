"""Properties of the numerical core that hold for any input, tried on inputs that hypothesis seeks out.

Each is tried on the same examples every time.
"""

from unittest.mock import patch

import networkx as nx
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from unit_clusters.clusters import search as core
from unit_clusters.clusters.agreement import element_similarity, transferability
from unit_clusters.clusters.modularity import UNUSED, adjacency, live_adjacency, modularity
from unit_clusters.clusters.search import spectral_partition
from unit_clusters.similarity.normalization import normalize
from unit_clusters_paper.networks.ensemble import Ensemble, initialize
from unit_clusters_paper.networks.similarity import similarity
from unit_clusters_paper.results.other_scores import other_scores

# Time is no property of theirs: the first call of compiled code is slow, and so is a busy machine.
always_the_same = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SIZES = st.integers(2, 12)
SEEDS = st.integers(0, 2**32 - 1)
WEIGHTS = st.one_of(st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.floats(0, 2.0**100, width=32))
"""Ties and zeros are common, and so are matrices whose entries are of very different sizes."""


def symmetric(units):
    return arrays(float, (units, units), elements=WEIGHTS).map(lambda upper: np.triu(upper, 1) + np.triu(upper, 1).T)


def labels_of(units):
    return arrays(int, units, elements=st.integers(UNUSED, 5))


GRAPHS = SIZES.flatmap(symmetric).filter(np.any).map(adjacency)
"""A~ of section 3.2: no self-loops, and the sum of all entries is 1, so that each link counts twice."""

PARTITIONS = GRAPHS.flatmap(lambda graph: st.tuples(st.just(graph), labels_of(len(graph))))
PAIRS = SIZES.flatmap(lambda units: st.tuples(labels_of(units), labels_of(units)))


def same_partition(a, b):
    return np.array_equal(np.equal.outer(a, a), np.equal.outer(b, b))


# Modularity


@always_the_same
@given(PARTITIONS)
def test_modularity_is_that_of_networkx_and_in_its_range(partition):
    """From -1/2 to below 1 (Brandes et al. 2008)."""
    graph, labels = partition
    q = modularity(graph, labels)
    assert -0.5 - 1e-12 <= q < 1
    communities = [set(np.flatnonzero(labels == label)) for label in np.unique(labels)]
    assert q == pytest.approx(nx.community.modularity(nx.from_numpy_array(graph), communities), abs=1e-12)


@always_the_same
@given(PARTITIONS, st.data())
def test_modularity_does_not_depend_on_the_order_of_units_nor_on_names(partition, data):
    graph, labels = partition
    order = data.draw(st.permutations(range(len(graph))))
    q = modularity(graph, labels)
    assert modularity(graph[np.ix_(order, order)], labels[order]) == pytest.approx(q, abs=1e-12)
    assert modularity(graph, 7 - 2 * labels) == pytest.approx(q, abs=1e-12)


@always_the_same
@given(PARTITIONS, st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11)), max_size=6))
def test_gains_are_differences_of_modularity_after_any_moves(partition, moves):
    """Of every unit to every cluster and to an empty one, as the searches keep them up to date from move to move."""
    graph, labels = partition
    degrees, labels = graph.sum(axis=1), np.unique(labels, return_inverse=True)[1]
    tally = sizes, volumes, links = core._tally(graph, degrees, labels)
    clusters = labels.max() + 1
    for unit, target in moves:
        unit, source = unit % len(graph), labels[unit % len(graph)]
        target %= clusters + (sizes[source] > 1)
        if target != source:
            core._move(unit, source, target, graph, degrees, labels, *tally)
            clusters = max(clusters, target + 1)
            if sizes[source] == 0:
                clusters -= 1
                core._close_gap(source, clusters, labels, *tally)
    q, gains = modularity(graph, labels), np.empty(len(graph))
    for unit, source in enumerate(labels):
        options = min(clusters + 1, len(graph))
        core._fill_gains(gains[:options], source, degrees[unit], volumes, links[:, unit])
        for target in range(options):
            moved = labels.copy()
            moved[unit] = target
            assert gains[target] == pytest.approx(modularity(graph, moved) - q, abs=1e-12)


# The spectral start


def random_graph(seed, units):
    """Overlapping clusters, some links missing; only units with links."""
    random = np.random.default_rng(seed)
    features = random.random((units, 3)) ** 4 + 0.05 * random.random((units, 3))
    weights = features @ features.T * (random.random((units, units)) < 0.9)
    return live_adjacency(np.triu(weights, 1) + np.triu(weights, 1).T)[0]


def partition_and_clearness(graph):
    """The spectral partition; and of the blocks on the way, the least gap below the leading eigenvalue, or component.

    Where either is 0, the leading eigenvector or a unit's side is a matter of rounding.
    """
    clearness = [1.0]
    leading_eigenvector = core._leading_eigenvector

    def observed(block):
        vector = leading_eigenvector(block)
        clearness.append(np.abs(vector).min())
        if len(block) > 1:
            values = np.linalg.eigvalsh(block)
            clearness.append((values[-1] - values[-2]) / np.abs(values).max())
        return vector

    with patch.object(core, "_leading_eigenvector", observed):
        return spectral_partition(graph), min(clearness)


@always_the_same
@given(SEEDS, st.integers(2, 40), st.data())
def test_the_spectral_partition_does_not_depend_on_the_order_of_units(seed, units, data):
    graph = random_graph(seed, units)
    assume(len(graph) > 0)
    labels, clearness = partition_and_clearness(graph)
    assume(clearness > 1e-6)
    order = data.draw(st.permutations(range(len(graph))))
    assert same_partition(spectral_partition(graph[np.ix_(order, order)]), labels[order])


# Similarity


@settings(always_the_same, max_examples=50)
@given(
    SEEDS,
    st.lists(st.integers(1, 9), min_size=1, max_size=3),
    st.sampled_from([1e-4, 1.0, 30.0]),
    st.sampled_from([-10.0, 0.0, 10.0]),
    st.integers(4, 20),
)
def test_normalized_similarity_is_between_0_and_1(seed, hidden, scale, bias, images):
    """Also for tiny and large weights, for layers with most units dead, for a single unit and for four images."""
    sizes = (12, *hidden, 10)
    network = Ensemble(initialize(sizes, [seed]).parameters * scale, sizes)
    network.biases[0].add_(bias)
    pixels = torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (images, 12), dtype=np.uint8))
    for layer in similarity(network, pixels):
        for matrix in layer.signed.values():
            matrix = matrix.astype(np.float32)  # as in the files
            matrix = np.abs(matrix)
            normalized = normalize(matrix)
            assert (normalized >= 0).all()
            assert (normalized <= 1).all()
            # and that is no effect of cutting off at 1
            diagonal = matrix.diagonal().astype(float)
            assert (matrix <= np.sqrt(np.outer(diagonal, diagonal)) * (1 + 1e-5) + 1e-30).all()


# Agreement


@always_the_same
@given(PARTITIONS.flatmap(lambda a: st.tuples(st.just(a), symmetric(len(a[0])), labels_of(len(a[0])))))
def test_transferability_is_symmetric(both):
    (a, labels_a), b, labels_b = both
    b = adjacency(b)
    assert transferability(a, labels_a, b, labels_b) == pytest.approx(
        transferability(b, labels_b, a, labels_a), abs=1e-12
    )


@always_the_same
@given(PAIRS)
def test_every_score_of_two_clusterings_is_symmetric(pair):
    a, b = pair
    assert element_similarity(a, b) == pytest.approx(element_similarity(b, a), abs=1e-12)
    assert other_scores(a, b) == pytest.approx(other_scores(b, a), abs=1e-12)
