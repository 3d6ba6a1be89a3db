"""Example matrices of single layers, sorted by cluster (Figs. 1 and 3)."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from unit_clusters.figures import style
from unit_clusters.layer_files import read_labels, read_similarity
from unit_clusters.measures import FORMS, Form, all_forms

FORM = Form("cov", True)

SIMILARITIES = LinearSegmentedColormap.from_list(
    "similarities", ["white", style.COLORS[Form("cov", False)], style.COLORS[FORM]]
)
"""0 to 1."""


class Example(NamedTuple):
    """One layer of one dropout network, as shown in Figs. 1 and 3."""

    strength: float
    """Dropout probability."""
    similarity: Float[np.ndarray, "units units"]
    """Normalised covariance, eq. (5), in the network's own order of units."""
    labels: Int[np.ndarray, " units"]
    """Cluster of each unit; -1 is unused."""
    q: float
    """Q* of these clusters, eq. (7)."""


def cluster_order(
    labels: Int[np.ndarray, " units"],
) -> tuple[Int[np.ndarray, " units"], Int[np.ndarray, " boundaries"]]:
    """Sort units by cluster, the largest first and the unused units (-1) last, else in their old order.

    Returns the units in their new order, and the places in it where another cluster begins. Clusters of one size stay
    in the order of their labels.
    """
    clusters, sizes = np.unique(labels[labels >= 0], return_counts=True)
    rank = np.full(labels.shape, len(clusters))
    for place, cluster in enumerate(clusters[np.argsort(-sizes, kind="stable")]):
        rank[labels == cluster] = place
    order = np.argsort(rank, kind="stable")
    return order, np.flatnonzero(np.diff(rank[order])) + 1


def read_examples(
    modularity: pd.DataFrame, strengths: Iterable[float], matrices: Iterable[str | Path], clusters: Iterable[str | Path]
) -> list[Example]:
    """The first hidden layer of seed 0 of Experiment 1, at each dropout probability.

    Args:
        modularity: modularity.csv.
        strengths: dropout probabilities.
        matrices: the similarity file of each one's cohort, of which seed 0 is the first network.
        clusters: the cluster file of each.

    Raises:
        ValueError: a file is damaged; the message names it.
    """
    chosen = style.of_form(modularity, FORM)
    chosen = chosen[(chosen["experiment"] == "base") & (chosen["regularizer"] == "dropout")]
    q = chosen[(chosen["seed"] == 0) & (chosen["layer"] == 1)].set_index("strength")["q"]
    form = FORMS.index(FORM)
    return [
        Example(strength, all_forms(read_similarity(similarity)[0])[form], read_labels(labels)[0, form], q[strength])
        for strength, similarity, labels in zip(strengths, matrices, clusters, strict=True)
    ]


def draw_example(axes: Axes, example: Example) -> None:
    """Draw the matrix sorted by cluster, with thin red lines between the clusters."""
    order, boundaries = cluster_order(example.labels)
    matrix = example.similarity[np.ix_(order, order)]
    np.fill_diagonal(matrix, 0)  # the graph that is clustered has no self-similarity
    axes.imshow(matrix, cmap=SIMILARITIES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for boundary in boundaries:
        axes.axhline(boundary - 0.5, color=style.RED, linewidth=0.5)
        axes.axvline(boundary - 0.5, color=style.RED, linewidth=0.5)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
