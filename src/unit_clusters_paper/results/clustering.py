"""The clusters in the layers of networks, as labels and as rows of modularity.csv."""

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.clusters.restarts import restarts
from unit_clusters.clusters.rows import FOUND, found_row
from unit_clusters.clusters.search import Clustering, cluster
from unit_clusters.clusters.turned import turned_clusters
from unit_clusters.similarity.measures import Form, Matrices, by_form
from unit_clusters.streams import stream
from unit_clusters_paper.results.layer_files import Searches, each_network
from unit_clusters_paper.results.other_searches import OtherSearches, other_searches
from unit_clusters_paper.runs.columns import RUN_COLUMNS

MODULARITY = (*RUN_COLUMNS, "layer", *FOUND, *OtherSearches._fields)
"""Columns of modularity.csv."""


def search_layers(
    layers: Sequence[Sequence[Matrices]], runs: Sequence[Mapping], settings: Mapping
) -> tuple[list[Searches], list[dict]]:
    """The clusters of all layers of a cohort by all searches, and the rows of modularity.csv.

    Args:
        layers: what `read_similarity` reads.
        runs: the networks, as `Cohort.runs` names them.
        settings: `steps`, `entropy`, `restarts` and `rotations`, as in the configuration.
    """
    labels, rows = [[] for _ in layers], []
    for layer, run, matrices in each_network(layers, runs):
        forms = by_form(matrices).items()
        found, new = zip(
            *(_search(matrices[form.measure], matrix, run["id"], layer, form, settings) for form, matrix in forms),
            strict=True,
        )
        labels[layer - 1].append(_stacked(found))
        rows += [run | {"layer": layer} | row for row in new]
    return [_stacked(networks) for networks in labels], rows


def _search(
    signed: Float[np.ndarray, "units units"],
    matrix: Float[np.ndarray, "units units"],
    run: str,
    layer: int,
    form: Form,
    settings: Mapping,
) -> tuple[Searches, dict]:
    """The labels of one matrix, which is a form of the signed one, by all searches, and its row."""

    def rng(purpose: str, *number: int) -> np.random.Generator:
        return stream(run, purpose, layer, str(form), *number)

    options = {"steps": settings["steps"], "entropy": settings["entropy"]}
    found = cluster(matrix, rng("clusters"), **options)
    again = cluster(matrix, rng("again"), **options)
    rngs = [rng("restart", number) for number in range(settings["restarts"])]
    more, partitions = restarts(matrix, found, rngs, **options)
    rotated = turned_in(run, layer, signed, form, found.labels != UNUSED, settings)
    others = other_searches(matrix, partitions.best, rng("other searches"), **options)
    row = found_row(form, matrix, found, more, partitions.best, np.array([clusters.q for clusters in rotated]))
    turned = np.full((len(rotated), len(matrix)), UNUSED)
    for labels, clusters in zip(turned, rotated, strict=True):
        labels[found.labels != UNUSED] = clusters.labels
    return Searches(found.labels, again.labels, *partitions, turned), row | others._asdict()


def turned_in(
    run: str,
    layer: int,
    signed: Float[np.ndarray, "units units"],
    form: Form,
    units: Bool[np.ndarray, " units"],
    settings: Mapping,
) -> list[Clustering]:
    """`turned_clusters` of a layer of a run. As many units are turned alike, whatever the form."""
    rotations = range(settings["rotations"])
    axes = [stream(run, "turned axes", layer, number) for number in rotations]
    searches = [stream(run, "turned clusters", layer, str(form), int(units.sum()), number) for number in rotations]
    return turned_clusters(signed, form, units, axes, searches, settings["steps"], settings["entropy"])


def _stacked(searches: Sequence[Searches]) -> Searches:
    return Searches(*map(np.stack, zip(*searches, strict=True)))
