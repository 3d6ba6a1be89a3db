"""Figure 3: modularity as a function of regularisation, with four example matrices."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from unit_clusters.figures import style
from unit_clusters.figures.examples import FORM, Example, draw_example
from unit_clusters.figures.network_diagram import draw_network
from unit_clusters.figures.sweep_panels import LEFT, draw_panels, legend, summarize
from unit_clusters.measures import Form

RING = 7
"""Points: diameter of the ring around a point that has an example."""

NOTE = (
    "Points: mean ± standard error over seeds and layers. "
    "Matrices: one layer of one network, sorted by cluster, unused units last."
)


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
        draw_example(axes, example)
        axes.set_title(f"dropout {example.strength:.2g}\n{style.Q_STAR} = {example.q:.3f}", fontsize=7.5)
    if matrices:
        matrices[0].set_ylabel("units, by cluster")
        scale = style.axes_at(figure, LEFT + 4.8, 4.7, 0.07, 1.1)
        figure.colorbar(matrices[0].images[0], cax=scale, ticks=[0, 1])
        scale.set_ylabel(style.label(FORM), fontsize=style.MATH_SIZE, labelpad=-2)
    else:
        style.say(style.axes_at(figure, LEFT, 4.7, 4.73, 1.1, xticks=[], yticks=[]), "no example networks")
    return matrices


def _join(figure: Figure, matrix: Axes, panels: dict[Form, Axes], strength: float, kept: pd.DataFrame) -> None:
    """Draw a curve from a matrix to the dropout point of its strength, behind the panel that lies between."""
    points = style.of_form(summarize(kept), FORM)
    point = points[(points["regularizer"] == "dropout") & np.isclose(points["strength"], strength)]
    if point.empty:  # all networks of that strength were discarded
        return
    percent, mean = point.iloc[0][["percent", "mean"]]
    panel, above = panels[FORM], panels[FORM._replace(normalized=False)]
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
