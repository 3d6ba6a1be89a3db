"""A similarity matrix, sorted by the clusters that were found in it."""

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from unit_clusters.plots import style
from unit_clusters.similarity.measures import Form

SIMILARITIES = LinearSegmentedColormap.from_list(
    "similarities", ["white", *(Form("cov", normalized).color for normalized in (False, True))]
)
"""0 to 1."""


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


def draw_sorted(axes: Axes, similarity: Float[np.ndarray, "units units"], labels: Int[np.ndarray, " units"]) -> None:
    """Draw a matrix, from white (0) to dark (1), sorted by cluster, with thin red lines between the clusters."""
    order, boundaries = cluster_order(labels)
    draw_similarity(axes, similarity[np.ix_(order, order)])
    for boundary in boundaries:
        axes.axhline(boundary - 0.5, color=style.RED, linewidth=0.5)
        axes.axvline(boundary - 0.5, color=style.RED, linewidth=0.5)


def draw_similarity(axes: Axes, similarity: Float[np.ndarray, "units units"]) -> None:
    """Draw a matrix, from white (0) to dark (1), but for its diagonal: what is clustered has no self-similarity."""
    shown = similarity * ~np.eye(len(similarity), dtype=bool)
    axes.imshow(shown, cmap=SIMILARITIES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
