"""How far the clusters in the layers of networks agree, as rows of agreement.csv and repeats.csv."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.agreement import Agreement, Repeats, compare, compare_repeats
from unit_clusters.clusters.modularity import adjacency
from unit_clusters.similarity.measures import PAIR_COLUMNS, Form, by_form
from unit_clusters_paper.results.layer_files import Matrices, Searches, each_network
from unit_clusters_paper.results.tables import RUN_COLUMNS

AGREEMENT = (*RUN_COLUMNS, "layer", *PAIR_COLUMNS, *Agreement._fields)
REPEATS = (*RUN_COLUMNS, "layer", *Form._fields, *Repeats._fields)
"""Columns of the tables of that name."""


def pair_rows(
    matrices: Mapping[Form, Float[np.ndarray, "units units"]],
    labels: Int[np.ndarray, "forms units"],
    best: Int[np.ndarray, "forms units"],
) -> Iterator[dict]:
    """Rows of the agreement between the forms of a layer of one network: PAIR_COLUMNS, and the scores of `compare`."""
    forms = list(matrices)
    for (a, b), score in compare([adjacency(matrix) for matrix in matrices.values()], labels, best).items():
        yield dict(zip(PAIR_COLUMNS, (*forms[a], *forms[b]), strict=True)) | score._asdict()


def compare_layers(
    layers: Sequence[Sequence[Matrices]], labels: Sequence[Searches], runs: Sequence[Mapping]
) -> tuple[list[dict], list[dict]]:
    """The rows of agreement.csv and of repeats.csv for all layers of a cohort; `labels` are by layer."""
    between, within = [], []
    networks = [Searches(*network) for searches in labels for network in zip(*searches, strict=True)]
    for (layer, run, matrices), searches in zip(each_network(layers, runs), networks, strict=True):
        here, forms = run | {"layer": layer}, by_form(matrices)
        between += [here | row for row in pair_rows(forms, searches.labels, searches.best)]
        for form, single, again, halves in zip(forms, searches.labels, searches.again, searches.halves, strict=True):
            within.append(here | form._asdict() | compare_repeats(single, again, halves)._asdict())
    return between, within
