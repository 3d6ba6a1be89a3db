"""Example matrices of single layers, sorted by cluster (Figs. 1 and 3)."""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS, Form, by_form
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.results.layer_files import named, read_labels, read_similarity
from unit_clusters_paper.runs.files import written_whole

FORM = Form("cov", True)


class Example(NamedTuple):
    """One layer of one dropout network, as shown in Figs. 1 and 3."""

    strength: float
    """Dropout probability."""
    similarity: Float[np.ndarray, "units units"]
    """Normalized covariance, eq. (5), in the network's own order of units."""
    labels: Int[np.ndarray, " units"]
    """Cluster of each unit; -1 is unused."""
    q: float
    """Q* of these clusters, eq. (7)."""


def choose(
    modularity: pd.DataFrame,
    cohorts: Iterable[tuple[Sequence[float], str | Path, str | Path]],
    strengths: Collection[float],
) -> list[Example]:
    """The first hidden layer of networks of seed 0 in Experiment 1's sweep of dropout.

    Args:
        modularity: modularity.csv.
        cohorts: of each that has some, the strengths of its first networks, those of seed 0; its similarity file;
            and its cluster file.
        strengths: dropout probabilities of the networks that are wanted.

    Raises:
        ValueError: a file is damaged; the message names it.
    """
    table = sweeps.of_form(modularity, FORM)
    table = table[(table["experiment"] == "base") & (table["regularizer"] == "dropout")]
    q = table[(table["seed"] == 0) & (table["layer"] == 1)].set_index("strength")["q"]
    return [
        Example(strength, by_form(matrices)[FORM], labels[FORMS.index(FORM)], q[strength])
        for here, similarity, clusters in cohorts
        for strength, matrices, labels in zip(
            here, read_similarity(similarity)[0], read_labels(clusters)[0].labels, strict=False
        )
        if strength in strengths
    ]


def write(examples: Sequence[Example], path: str | Path) -> None:
    """Write the examples as one file of arrays, stacked."""
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(
            file, **{name: np.array([getattr(example, name) for example in examples]) for name in Example._fields}
        )


def read(path: str | Path) -> list[Example]:
    """What `write` wrote.

    Raises:
        ValueError: the file is damaged; the message names it.
    """
    with named(path, "examples") as arrays:
        fields = [arrays[name] for name in Example._fields]
    return [
        Example(float(strength), matrix, labels, float(q)) for strength, matrix, labels, q in zip(*fields, strict=True)
    ]


def draw_scale(matrix: Axes) -> None:
    """Draw the color scale of a matrix beside it."""
    bar = matrix.figure.colorbar(matrix.images[0], ax=matrix, ticks=[0, 0.5, 1], aspect=15, pad=0.04)
    bar.set_label(style.label(FORM), fontsize=style.MATH_SIZE, labelpad=1, color=FORM.ink)
