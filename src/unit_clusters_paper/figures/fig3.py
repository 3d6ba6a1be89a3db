"""Figure 3: modularity as a function of regularisation, with four example matrices."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from unit_clusters.plots import style
from unit_clusters.plots.similarity import draw_sorted
from unit_clusters.similarity.measures import FORMS, Form
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.examples import FORM, Example, draw_scale
from unit_clusters_paper.figures.network_diagram import draw_network
from unit_clusters_paper.figures.sweep_panels import (
    HEADER,
    LEFT,
    MODULARITY,
    POOLED,
    ROWS,
    draw_panels,
    fit,
    legend,
    summarize,
)
from unit_clusters_paper.results.selection import keep_good

RING = 7
"""Points: diameter of the ring around a point that has an example."""


# Inches.
BOTTOM, SIDE = 1.25, 1.1
EXAMPLES = BOTTOM + ROWS + HEADER + 0.55
"""Height at which the example matrices stand."""


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
    if len(examples) > 4:
        raise ValueError(f"Fig. 3 has room for four examples; {len(examples)} were given")
    table = modularity[modularity["experiment"] == "base"]
    kept = keep_good(table, models)
    figure = Figure(figsize=(style.WIDTH, EXAMPLES + SIDE + 0.42))
    panels = draw_panels(figure, LEFT, BOTTOM, kept, models)
    fit([panels[FORMS[0]]], MODULARITY)
    points = sweeps.of_form(summarize(kept, models), FORM)
    points = points[points["regularizer"] == "dropout"]
    for matrix, example in zip(_draw_examples(figure, examples), examples, strict=True):
        for percent, mean in points.loc[np.isclose(points["strength"], example.strength), ["percent", "mean"]].values:
            _join(figure, matrix, panels, percent, mean)
    diagram = style.axes_at(figure, 6.06, EXAMPLES - 0.1, 0.9, SIDE + 0.1)
    diagram.set_title("base network")
    draw_network(diagram, hidden.get("base", []))
    legend(figure, 0.6)
    matrices = "Matrices: one layer of one network, sorted by cluster, unused units last."
    style.footnote(figure, [POOLED, matrices, sweeps.describe("base", table, models)])
    return figure


def _draw_examples(figure: Figure, examples: Sequence[Example]) -> list[Axes]:
    matrices = [style.axes_at(figure, LEFT + 1.21 * place, EXAMPLES, SIDE, SIDE) for place in range(len(examples))]
    for axes, example in zip(matrices, examples, strict=True):
        draw_sorted(axes, example.similarity, example.labels)
        axes.set_title(f"dropout {example.strength:.2g}\n{style.Q_STAR} = {example.q:.3f}", fontsize=7.5)
    if matrices:
        matrices[0].set_ylabel("units, by cluster")
        draw_scale(matrices[0], style.axes_at(figure, LEFT + 4.8, EXAMPLES, 0.07, SIDE))
    else:
        style.say(style.axes_at(figure, LEFT, EXAMPLES, 4.73, SIDE, xticks=[], yticks=[]), "no example networks")
    return matrices


def _join(figure: Figure, matrix: Axes, panels: dict[Form, Axes], percent: float, mean: float) -> None:
    """Draw a line from a matrix to the point of its strength, which gets a ring.

    On its way it crosses the panel of the unnormalised form, on top of the grey bands and below the points.
    """
    panel, above = panels[FORM], panels[FORM._replace(normalized=False)]
    panel.plot(
        percent, mean, "o", markersize=RING, markerfacecolor="none", markeredgecolor=style.RED, markeredgewidth=0.8
    )
    to_figure = panel.transData + figure.transFigure.inverted()
    x, y = to_figure.transform((percent, mean))
    radius = RING / 2 / 72 / figure.get_figheight()
    ring = panel.transData.inverted().transform(figure.transFigure.transform((x, y + radius)))[1]
    panel.vlines(percent, ring, panel.get_ylim()[1], zorder=0.5, color=style.RED, linewidth=0.8)
    above.axvline(percent, zorder=0.5, color=style.RED, linewidth=0.8)
    box, upper, lower = (axes.get_position() for axes in (matrix, above, panel))
    start, names = (box.x0 + box.x1) / 2, upper.y1 + HEADER / figure.get_figheight()
    middle = (box.y0 + names) / 2
    curve = [(start, box.y0), (start, middle), (x, middle), (x, names), (x, upper.y1)]
    codes = [Path.MOVETO, *3 * [Path.CURVE4], Path.LINETO, Path.MOVETO, Path.LINETO]
    line = {"fill": False, "edgecolor": style.RED, "linewidth": 0.8, "zorder": -0.5}
    figure.add_artist(
        PathPatch(Path([*curve, (x, upper.y0), (x, lower.y1)], codes), transform=figure.transFigure, **line)
    )
