"""Figure 3: modularity as a function of regularisation, with four example matrices."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from unit_clusters.figures import style
from unit_clusters.figures.network_diagram import draw_network
from unit_clusters.figures.sweep_panels import draw_panels, legend, of_form, summarize
from unit_clusters.measures import Form

EXAMPLE_FORM = Form("cov", True)

SIMILARITIES = LinearSegmentedColormap.from_list(
    "similarities", ["white", style.COLORS[Form("cov", False)], style.COLORS[EXAMPLE_FORM]]
)
"""0 to 1."""

LEFT = 0.68
"""Inches, of all panels."""

RING = 7
"""Points: diameter of the ring around a point that has an example."""

NOTE = (
    "Points: mean ± standard error over seeds and layers. "
    "Matrices: one layer of one network, sorted by cluster, unused units last."
)


class Example(NamedTuple):
    """One layer of one dropout network, as shown on top of Fig. 3."""

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


@rc_context(style.RC)
def draw(
    modularity: pd.DataFrame,
    models: pd.DataFrame,
    examples: Sequence[Example],
    network: Sequence[int],
    experiment: str = "base",
) -> Figure:
    """Draw Figure 3 for one experiment.

    Args:
        modularity: modularity.csv; other experiments in it are ignored.
        models: models.csv, to know which networks to discard.
        examples: at most four, in the order in which they are shown.
        network: units of each layer, from the input to the output.

    Raises:
        ValueError: more than four examples, or `modularity` holds a network that `models` does not.
    """
    if len(examples) > 4:
        raise ValueError(f"Fig. 3 has room for four examples; {len(examples)} were given")
    table = modularity[modularity["experiment"] == experiment]
    kept = style.keep_good(table, models)
    figure = Figure(figsize=(style.WIDTH, 6.3))
    panels = draw_panels(figure, LEFT, 1.1, kept)
    for matrix, example in zip(_draw_examples(figure, examples), examples, strict=True):
        _join(figure, matrix, panels, example.strength, kept)
    diagram = style.axes_at(figure, 6.06, 4.6, 0.9, 1.2)
    diagram.set_title(f"{experiment} network")
    draw_network(diagram, network)
    legend(figure, 0.5)
    style.footnote(figure, [NOTE, style.describe(experiment, table, kept)])
    return figure


def _draw_examples(figure: Figure, examples: Sequence[Example]) -> list[Axes]:
    matrices = [style.axes_at(figure, LEFT + 1.21 * place, 4.7, 1.1, 1.1) for place in range(len(examples))]
    for axes, example in zip(matrices, examples, strict=True):
        _draw_example(axes, example)
    if matrices:
        matrices[0].set_ylabel("units, by cluster")
        scale = style.axes_at(figure, LEFT + 4.8, 4.7, 0.07, 1.1)
        figure.colorbar(matrices[0].images[0], cax=scale, ticks=[0, 1])
        scale.set_ylabel(style.label(EXAMPLE_FORM), fontsize=style.MATH_SIZE, labelpad=-2)
    else:
        style.say(style.axes_at(figure, LEFT, 4.7, 4.73, 1.1, xticks=[], yticks=[]), "no example networks")
    return matrices


def _draw_example(axes: Axes, example: Example) -> None:
    order, boundaries = cluster_order(example.labels)
    matrix = example.similarity[np.ix_(order, order)]
    np.fill_diagonal(matrix, 0)  # the graph that is clustered has no self-similarity
    axes.imshow(matrix, cmap=SIMILARITIES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    for boundary in boundaries:
        axes.axhline(boundary - 0.5, color=style.RED, linewidth=0.5)
        axes.axvline(boundary - 0.5, color=style.RED, linewidth=0.5)
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(True)
    axes.set_title(f"dropout {example.strength:.2g}\n{style.Q_STAR} = {example.q:.3f}", fontsize=7.5)


def _join(figure: Figure, matrix: Axes, panels: dict[Form, Axes], strength: float, kept: pd.DataFrame) -> None:
    """Draw a curve from a matrix to the dropout point of its strength, behind the panel that lies between."""
    points = of_form(summarize(kept), EXAMPLE_FORM)
    point = points[(points["regularizer"] == "dropout") & np.isclose(points["strength"], strength)]
    if point.empty:  # all networks of that strength were discarded
        return
    percent, mean = point.iloc[0][["percent", "mean"]]
    panel, above = panels[EXAMPLE_FORM], panels[EXAMPLE_FORM._replace(normalized=False)]
    panel.plot(
        percent, mean, "o", markersize=RING, markerfacecolor="none", markeredgecolor=style.RED, markeredgewidth=0.8
    )
    to_figure = panel.transData + figure.transFigure.inverted()
    x, y = to_figure.transform((percent, mean))
    y += RING / 2 / 72 / figure.get_figheight()
    box, top = matrix.get_position(), above.get_position().y1
    start, middle = (box.x0 + box.x1) / 2, (box.y0 + top) / 2
    corners = [(start, box.y0), (start, middle), (x, middle), (x, top), (x, y)]
    path = Path(corners, [Path.MOVETO, *3 * [Path.CURVE4], Path.LINETO])
    above.set_zorder(2)
    line = {"fill": False, "edgecolor": style.RED, "linewidth": 0.8, "zorder": 1}
    figure.add_artist(PathPatch(path, transform=figure.transFigure, **line))
