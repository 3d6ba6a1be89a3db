"""What is found in the layers of networks, as labels and as rows of the tables."""

import logging
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.agreement import Agreement, Repeats, compare, compare_repeats
from unit_clusters.clusters.modularity import Clustering, adjacency, cluster, contrast, largest_share
from unit_clusters.clusters.restarts import OtherSearches, Restarts, other_searches, restarts
from unit_clusters.results.layer_files import Matrices, Searches
from unit_clusters.results.tables import RUN_COLUMNS
from unit_clusters.runs.streams import stream
from unit_clusters.similarity.measures import Form, by_form

FOUND = (*Form._fields, *Clustering._fields[1:], "contrast", "largest_share", *Restarts._fields)
"""What is found on one matrix, but for its labels."""

PAIR = ("measure_a", "normalized_a", "measure_b", "normalized_b")

MODULARITY = (*RUN_COLUMNS, "layer", *FOUND, *OtherSearches._fields)
AGREEMENT = (*RUN_COLUMNS, "layer", *PAIR, *Agreement._fields)
REPEATS = (*RUN_COLUMNS, "layer", *Form._fields, *Repeats._fields)
"""Columns of the tables of that name."""


def found_row(form: Form, matrix: Float[np.ndarray, "units units"], found: Clustering, more: Restarts) -> dict:
    """The row of one matrix, with the columns FOUND."""
    shown = {"contrast": contrast(matrix, found.labels), "largest_share": largest_share(found.labels)}
    return form._asdict() | found._asdict() | shown | more._asdict()


def pair_rows(
    matrices: Mapping[Form, Float[np.ndarray, "units units"]],
    labels: Int[np.ndarray, "forms units"],
    best: Int[np.ndarray, "forms units"],
) -> Iterator[dict]:
    """Rows of the agreement between the forms of one layer of one network, with PAIR and the scores of `compare`."""
    forms = list(matrices)
    for (a, b), score in compare([adjacency(matrix) for matrix in matrices.values()], labels, best).items():
        yield dict(zip(PAIR, (*forms[a], *forms[b]), strict=True)) | score._asdict()


def search_layers(
    layers: Sequence[Sequence[Matrices]], runs: Sequence[Mapping], settings: Mapping
) -> tuple[list[Searches], list[dict]]:
    """The clusters of all layers of a cohort by all searches, and the rows of modularity.csv.

    Args:
        layers: what `read_similarity` reads.
        runs: the networks, as `Cohort.runs` names them.
        settings: `steps`, `entropy` and `restarts`, as in the configuration.
    """
    labels, rows = [[] for _ in layers], []
    for layer, run, matrices in _networks(layers, runs):
        forms = by_form(matrices).items()
        found, new = zip(*(_search(matrix, run["id"], layer, form, settings) for form, matrix in forms), strict=True)
        labels[layer - 1].append(_stacked(found))
        rows += [run | {"layer": layer} | row for row in new]
    return [_stacked(networks) for networks in labels], rows


def _search(
    matrix: Float[np.ndarray, "units units"], run: str, layer: int, form: Form, settings: Mapping
) -> tuple[Searches, dict]:
    """The labels of one matrix by all searches, and its row."""

    def rng(purpose: str, *number: int) -> np.random.Generator:
        return stream(run, purpose, layer, str(form), *number)

    options = {"steps": settings["steps"], "entropy": settings["entropy"]}
    found = cluster(matrix, rng("clusters"), **options)
    again = cluster(matrix, rng("again"), **options)
    rngs = [rng("restart", number) for number in range(settings["restarts"])]
    more, partitions = restarts(matrix, found, rngs, **options)
    others = other_searches(matrix, rng("other searches"), **options)
    return Searches(found.labels, again.labels, *partitions), found_row(form, matrix, found, more) | others._asdict()


def compare_layers(
    layers: Sequence[Sequence[Matrices]], labels: Sequence[Searches], runs: Sequence[Mapping]
) -> tuple[list[dict], list[dict]]:
    """The rows of agreement.csv and of repeats.csv for all layers of a cohort; `labels` are by layer."""
    between, within = [], []
    networks = [Searches(*network) for searches in labels for network in zip(*searches, strict=True)]
    for (layer, run, matrices), searches in zip(_networks(layers, runs), networks, strict=True):
        here, forms = run | {"layer": layer}, by_form(matrices)
        between += [here | row for row in pair_rows(forms, searches.labels, searches.best)]
        for form, single, again, halves in zip(forms, searches.labels, searches.again, searches.halves, strict=True):
            within.append(here | form._asdict() | compare_repeats(single, again, halves)._asdict())
    return between, within


def _networks(layers: Sequence[Sequence[Matrices]], runs: Sequence[Mapping]) -> Iterator[tuple[int, Mapping, Matrices]]:
    """Each layer, in each of its networks; the log says which is done."""
    for layer, networks in enumerate(layers, start=1):
        for number, (run, matrices) in enumerate(zip(runs, networks, strict=True), start=1):
            yield layer, run, matrices
            logging.info("layer %d: %s, %d of %d networks", layer, run["id"], number, len(runs))


def _stacked(searches: Sequence[Searches]) -> Searches:
    return Searches(*map(np.stack, zip(*searches, strict=True)))
