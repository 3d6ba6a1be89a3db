"""Modularity by layer, in networks of the user's own."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.results.selection import RUN, is_untrained


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, layers: pd.DataFrame) -> Figure:
    """Draw a row of panels an experiment, with a line a measure.

    Args:
        layers: layers.csv, the names of the layers of the experiments that are drawn.
    """
    names = list(layers["experiment"].unique())
    figure = Figure(figsize=(style.WIDTH, 0.4 + 3.1 * len(names)))
    panels = figure.subplots(len(names), 2, sharey="row", squeeze=False)
    notes = []
    for row, name in zip(panels, names, strict=True):
        table = modularity[modularity["experiment"] == name]
        named = layers[layers["experiment"] == name].drop_duplicates("layer")
        for axes, normalized in zip(row, (False, True), strict=True):
            axes.set_title(f"{name}, {'normalized' if normalized else 'unnormalized'}", loc="left")
            _draw_measures(axes, table[table["normalized"] == normalized])
            axes.set_xticks(named["layer"], [_end(str(layer)) for layer in named["name"]], rotation=90)
        row[0].set_ylabel(style.Q_STAR)
        notes.append(_describe(name, table))
    handles = [Line2D([], [], color=form.color, marker="o", markersize=3, label=style.label(form)) for form in FORMS]
    figure.legend(handles=handles, loc="outside right center", fontsize=style.MATH_SIZE)
    style.footnote(figure, notes)
    return figure


def _draw_measures(axes: Axes, table: pd.DataFrame) -> None:
    for form in FORMS:
        rows = sweeps.of_form(table, form)
        trained = rows[~is_untrained(rows)]
        axes.plot(trained["layer"], trained["q"], "o", color=form.color, markersize=2, alpha=0.5)
        for part, line in ((trained, "-"), (rows[is_untrained(rows)], ":")):
            means = part.groupby("layer")["q"].mean()
            axes.plot(means.index, means, line, color=form.color, linewidth=1)


def _end(name: str) -> str:
    """As much of a name as there is room for."""
    return name if len(name) <= 16 else f"…{name[-15:]}"


def _describe(name: str, table: pd.DataFrame) -> str:
    """Which networks there are."""
    networks = table[RUN].drop_duplicates()
    untrained = is_untrained(networks).sum()
    reference = f"dotted, {untrained} as the factory makes them" if untrained else "no untrained reference"
    left_out = "" if "hess" in set(table["measure"]) else "; hess left out, since no loss was given"
    return f"{name}: {len(networks) - untrained} networks; {reference}{left_out}."
