"""Rows of tables: what is found on each matrix of a layer, and how far each pair of its forms agrees."""

from collections.abc import Iterator, Mapping

import numpy as np
from jaxtyping import Float, Int

from unit_clusters.clusters.agreement import compare_forms
from unit_clusters.clusters.modularity import adjacency, contrast, largest_share
from unit_clusters.clusters.reliability import Reliability
from unit_clusters.clusters.restarts import Restarts
from unit_clusters.clusters.search import Clustering
from unit_clusters.clusters.soft import soft_units
from unit_clusters.similarity.measures import PAIR_COLUMNS, Form

TURNED = ("q_rotated", "q_rotated_sd")
"""The mean modularity in turned axes, and its standard deviation over rotations; NaN with too few of them."""

FOUND = (
    *(*Form._fields, *Clustering._fields[1:], "contrast", "largest_share"),
    *(*Restarts._fields, *TURNED, "soft_units", *Reliability._fields),
)
"""What is found on one matrix, but for its labels."""


def found_row(
    form: Form,
    matrix: Float[np.ndarray, "units units"],
    found: Clustering,
    more: Restarts,
    best: Int[np.ndarray, " units"],
    rotated: Float[np.ndarray, " rotations"],
    reliable: Reliability,
) -> dict:
    """The row of one matrix, with the columns FOUND.

    Args:
        form: of the matrix.
        matrix: the similarity.
        found: by the paper's single search.
        more: by restarts.
        best: the best clusters that are known.
        rotated: modularity in turned axes, rotation by rotation.
        reliable: how far halves of the images give the same.
    """
    mean = rotated.mean() if len(rotated) else np.nan
    sd = rotated.std(ddof=1) if len(rotated) > 1 else np.nan
    shown = {"contrast": contrast(matrix, found.labels), "largest_share": largest_share(found.labels)}
    turned = dict(zip(TURNED, (float(mean), float(sd)), strict=True)) | {"soft_units": soft_units(matrix, best)}
    return form._asdict() | found._asdict() | shown | more._asdict() | turned | reliable._asdict()


def pair_rows(
    matrices: Mapping[Form, Float[np.ndarray, "units units"]],
    labels: Int[np.ndarray, "forms units"],
    best: Int[np.ndarray, "forms units"],
) -> Iterator[dict]:
    """Rows of the agreement between the forms of a layer: PAIR_COLUMNS, and the scores of `compare_forms`."""
    forms = list(matrices)
    for (a, b), score in compare_forms([adjacency(matrix) for matrix in matrices.values()], labels, best).items():
        yield dict(zip(PAIR_COLUMNS, (*forms[a], *forms[b]), strict=True)) | score._asdict()
