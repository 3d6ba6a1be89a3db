"""Figure 3: modularity as a function of regularization, with four example matrices."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.patches import ConnectionPatch
from matplotlib.path import Path

from unit_clusters.plots import style
from unit_clusters.plots.similarity import draw_sorted
from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.examples import FORM, Example, draw_scale
from unit_clusters_paper.figures.network_diagram import draw_network
from unit_clusters_paper.figures.sweep_panels import (
    MODULARITY,
    POOLED,
    draw_panels,
    fit,
    legend,
    summarize,
)
from unit_clusters_paper.results.selection import keep_good

RING = 7
"""Points: diameter of the ring around a point that has an example."""


COLUMNS = 4
"""Examples at most."""


@rc_context(style.RC)
def draw(
    modularity: pd.DataFrame, models: pd.DataFrame, examples: Sequence[Example], hidden: Mapping[str, Sequence[int]]
) -> Figure:
    """Draw Figure 3.

    Args:
        examples: at most four, in the order in which they are shown.
        hidden: units of each hidden layer, by experiment.

    Raises:
        ValueError: there are more than four examples.
    """
    if len(examples) > COLUMNS:
        raise ValueError(f"Fig. 3 has room for four examples; {len(examples)} were given")
    table = modularity[modularity["experiment"] == "base"]
    kept = keep_good(table, models)
    figure = Figure(figsize=(style.WIDTH, 6.9))
    body = figure.subfigures()
    upper, lower = body.subfigures(2, 1, height_ratios=(1, 2.4), hspace=0.06)
    left, right = upper.subfigures(1, 2, width_ratios=(5.3, 1))
    matrices = _draw_examples(left, examples)
    diagram = right.subplots()
    diagram.set_title("base network")
    draw_network(diagram, hidden.get("base", []))
    panels = draw_panels(lower, kept, models)
    fit([panels[FORMS[0]]], MODULARITY)
    points = sweeps.of_form(summarize(kept, models), FORM)
    points = points[points["regularizer"] == "dropout"]
    for matrix, example in zip(matrices, examples, strict=True):
        for percent, mean in points.loc[np.isclose(points["strength"], example.strength), ["percent", "mean"]].values:
            _join(matrix, panels, percent, mean)
    legend(body)
    note = "Matrices: one layer of one network, sorted by cluster, unused units last."
    style.footnote(figure, [POOLED, note, sweeps.describe("base", table, models)])
    return figure


def _draw_examples(part: SubFigure, examples: Sequence[Example]) -> list[Axes]:
    if not examples:
        style.say(part.subplots(subplot_kw={"xticks": [], "yticks": []}), "no example networks")
        return []
    panels = part.subplots(1, COLUMNS)
    for unused in panels[len(examples) :]:
        unused.remove()
    matrices = list(panels[: len(examples)])
    for axes, example in zip(matrices, examples, strict=True):
        draw_sorted(axes, example.similarity, example.labels)
        axes.set_title(f"dropout {example.strength:.2g}\n{style.Q_STAR} = {example.q:.3f}", fontsize=7.5)
    matrices[0].set_ylabel("units, by cluster")
    draw_scale(matrices[-1])
    return matrices


def _join(matrix: Axes, panels: dict[Form, Axes], percent: float, mean: float) -> None:
    """Draw a line from a matrix to the point of its strength, which gets a ring.

    On its way it crosses the panel of the unnormalized form, on top of the gray bands and below the points.
    """
    panel, above = panels[FORM], panels[FORM._replace(normalized=False)]
    ring = {"markersize": RING, "markerfacecolor": "none", "markeredgecolor": style.RED, "markeredgewidth": 0.8}
    panel.plot(percent, mean, "o", **ring)
    middle, bottom = (0.5, 0), (percent, 0)
    column = above.get_xaxis_transform()
    look = {"color": style.RED, "linewidth": 0.8, "zorder": 0.5, "clip_on": False}
    first = ConnectionPatch(middle, (percent, 1), matrix.transAxes, column, connectionstyle=_bend, **look)
    across = ConnectionPatch((percent, 1), bottom, column, column, **look)
    last = ConnectionPatch(bottom, (percent, mean), column, panel.transData, shrinkB=RING / 2, **look)
    for axes, link in ((above, first), (above, across), (panel, last)):
        link.set_in_layout(False)
        axes.add_artist(link)


def _bend(start: Float[np.ndarray, " 2"], end: Float[np.ndarray, " 2"], **_: object) -> Path:
    """From `start` downwards, to the place above `end`, and straight down to it."""
    (left, top), (right, bottom) = start, end
    middle, straight = (bottom + share * (top - bottom) for share in (0.8, 0.6))
    curve = [(left, top), (left, middle), (right, middle), (right, straight), (right, bottom)]
    return Path(curve, [Path.MOVETO, *3 * [Path.CURVE4], Path.LINETO])
