"""The clusters in the layers of networks, as labels and as rows of modularity.csv."""

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
from jaxtyping import Float

from unit_clusters.clusters.modularity import UNUSED
from unit_clusters.clusters.reliability import reliability
from unit_clusters.clusters.restarts import restarts
from unit_clusters.clusters.rows import FOUND, found_row
from unit_clusters.clusters.search import cluster
from unit_clusters.similarity.measures import Form, Matrices, by_form, in_form
from unit_clusters.streams import stream
from unit_clusters_paper.results.layer_files import Searches, each_network
from unit_clusters_paper.results.other_searches import OtherSearches, other_searches
from unit_clusters_paper.results.turned_axes import turned_in
from unit_clusters_paper.runs.columns import RUN_COLUMNS

MODULARITY = (*RUN_COLUMNS, "layer", *FOUND, *OtherSearches._fields)
"""Columns of modularity.csv."""


def search_layers(
    layers: Sequence[Sequence[Matrices]],
    halves: Sequence[Sequence[tuple[Matrices, Matrices]]],
    runs: Sequence[Mapping],
    settings: Mapping,
) -> tuple[list[Searches], list[dict]]:
    """The clusters of all layers of a cohort by all searches, and the rows of modularity.csv.

    Args:
        layers: what `read_similarity` reads.
        halves: what `read_halves` reads.
        runs: the networks, as `Cohort.runs` names them.
        settings: `steps`, `entropy`, `restarts` and `rotations`, as in the configuration.
    """
    labels, rows = [[] for _ in layers], []
    for (layer, run, matrices), parts in zip(each_network(layers, runs), chain(*halves), strict=True):
        found, new = zip(
            *(
                _search(matrix, form, matrices, parts, run["id"], layer, settings)
                for form, matrix in by_form(matrices).items()
            ),
            strict=True,
        )
        labels[layer - 1].append(_stacked(found))
        rows += [run | {"layer": layer} | row for row in new]
    return [_stacked(networks) for networks in labels], rows


def _search(
    matrix: Float[np.ndarray, "units units"],
    form: Form,
    signed: Matrices,
    halves: Sequence[Matrices],
    run: str,
    layer: int,
    settings: Mapping,
) -> tuple[Searches, dict]:
    """The labels of one matrix by all searches, and its row. It is a form of one of the signed matrices."""

    def rng(purpose: str, *number: int) -> np.random.Generator:
        return stream(run, purpose, layer, str(form), *number)

    options = {"steps": settings["steps"], "entropy": settings["entropy"]}
    found = cluster(matrix, rng("clusters"), **options)
    again = cluster(matrix, rng("again"), **options)
    rngs = [rng("restart", number) for number in range(settings["restarts"])]
    more, partitions = restarts(matrix, found, rngs, **options)
    live = found.labels != UNUSED
    rotated = turned_in(run, layer, signed[form.measure], form, live, settings)
    parts, rngs = [in_form(half[form.measure], form) for half in halves], [rng("half", number) for number in range(2)]
    reliable = reliability(parts, live, rngs, **options)
    others = other_searches(matrix, partitions.best, rng("other searches"), **options)
    q_rotated = np.array([clusters.q for clusters in rotated])
    row = found_row(form, matrix, found, more, partitions.best, q_rotated, reliable)
    turned = np.full((len(rotated), len(matrix)), UNUSED)
    for labels, clusters in zip(turned, rotated, strict=True):
        labels[live] = clusters.labels
    return Searches(found.labels, again.labels, *partitions, turned), row | others._asdict()


def _stacked(searches: Sequence[Searches]) -> Searches:
    return Searches(*map(np.stack, zip(*searches, strict=True)))
