"""Modularity or number of clusters against percent regularisation, eight panels (Figs. 3, 4, S6 to S8)."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.patheffects import withStroke

from unit_clusters.figures import style
from unit_clusters.measures import FORMS, MEASURES, Form

FULL_RANGE = {"l2": (1e-5, 1e-1), "l1": (1e-5, 1e-2)}
"""The strengths that count as 0 % and 100 % (caption of Fig. 3); dropout's percentage is its probability."""

LEFT = 0.68
"""Inches to the left of all panels."""

PANEL = (1.47, 1.35)
"""Width and height in inches."""

GAP = (0.1, 0.15)

HALO = withStroke(linewidth=2.5, foreground="white")
"""Keeps the name of a measure legible on lines and grey bands."""

X_LABEL = "percent regularization (log-spaced for L2 from 1e-5 to 1e-1 and L1 from 1e-5 to 1e-2; dropout: probability)"


class Quantity(NamedTuple):
    """A column of modularity.csv, and what to call it beside an axis."""

    column: str
    label: str


MODULARITY = Quantity("q", f"modularity {style.Q_STAR}")
NUM_CLUSTERS = Quantity("num_clusters", "number of clusters")


def percent_regularization(regularizer: str, strength: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The x of Fig. 3: the probability for dropout, the place on a logarithmic scale for L1 and L2; 0 to 100.

    Strengths beyond the paper's range (`FULL_RANGE`) come out below 0 or above 100.

    Raises:
        ValueError: an L1 or L2 strength is not above zero, and so has no place on that scale.
    """
    strength = np.asarray(strength, dtype=np.float64)
    if regularizer == "dropout":
        return 100 * strength
    if not (strength > 0).all():
        raise ValueError(f"{regularizer}: strength {strength.min()} has no place on a logarithmic scale; use > 0")
    low, high = FULL_RANGE[regularizer]
    return 100 * np.log(strength / low) / np.log(high / low)


def summarize(modularity: pd.DataFrame, column: str = MODULARITY.column) -> pd.DataFrame:
    """Mean and standard error of a column over seeds and layers together, at each strength of each form.

    Returns a table with columns measure, normalized, regularizer, strength, mean, sem, percent; trained networks only.
    NaN scores are ignored; the error of a single score is NaN.
    """
    trained = modularity[modularity["regularizer"] != "none"]
    keys = ["measure", "normalized", "regularizer", "strength"]
    summary = trained.groupby(keys)[column].agg(["mean", "sem"]).dropna(subset="mean").reset_index()
    summary["percent"] = np.nan
    for regularizer, rows in summary.groupby("regularizer"):
        summary.loc[rows.index, "percent"] = percent_regularization(regularizer, rows["strength"].to_numpy())
    return summary


def draw_panels(
    figure: Figure, left: float, bottom: float, modularity: pd.DataFrame, quantity: Quantity = MODULARITY
) -> dict[Form, Axes]:
    """Draw the 2 x 4 panels, 6.2 by 2.85 inches and their axis labels outside, from a corner given in inches.

    Columns are the measures, the lower row is normalised; all panels share both axes. `modularity` holds one experiment
    and no discarded networks.
    """
    panels = empty_panels(figure, left, bottom, quantity)
    summary = summarize(modularity, quantity.column)
    untrained = modularity[modularity["regularizer"] == "none"]
    for form, axes in panels.items():
        _draw_untrained(axes, style.of_form(untrained, form)[quantity.column])
        _draw_sweeps(axes, form, style.of_form(summary, form))
    percents = [0, 100, *summary["percent"]]
    panels[FORMS[0]].set_xticks((0, 25, 50, 75, 100))
    panels[FORMS[0]].set(xlim=(min(percents) - 4, max(percents) + 4), ylim=(0, None))
    place = (left + 2 * PANEL[0] + 1.5 * GAP[0]) / style.WIDTH, (bottom - 0.25) / figure.get_figheight()
    figure.text(*place, X_LABEL, ha="center", va="top")
    if summary.empty:
        for axes in panels.values():
            style.say(axes, "no trained networks")
    return panels


def empty_panels(figure: Figure, left: float, bottom: float, quantity: Quantity) -> dict[Form, Axes]:
    """The 2 x 4 panels of `draw_panels`, labelled but empty."""
    panels: dict[Form, Axes] = {}
    for form in FORMS:
        column, row = MEASURES.index(form.measure), int(not form.normalized)
        place = (left + column * (PANEL[0] + GAP[0]), bottom + row * (PANEL[1] + GAP[1]), *PANEL)
        first = panels.get(FORMS[0])
        axes = style.axes_at(figure, *place, sharex=first, sharey=first)
        axes.tick_params(labelleft=column == 0, labelbottom=row == 0)
        if column == 0:
            axes.set_ylabel(f"{'normalized' if form.normalized else 'unnormalized'}\n{quantity.label}")
        name = {"ha": "right", "transform": axes.transAxes, "color": style.COLORS[form], "path_effects": [HALO]}
        axes.text(0.98, 0.14, style.label(form), fontsize=style.MATH_SIZE, **name)
        axes.text(0.98, 0.04, style.FAMILIES[form.measure], **name)
        panels[form] = axes
    return panels


def _draw_untrained(axes: Axes, scores: pd.Series) -> None:
    """Grey bands: mean +- 1, 2, 3 standard deviations of single layers of single networks."""
    mean, sigma = scores.mean(), scores.std()
    if np.isnan(sigma):
        return
    for reach, grey in reversed(list(enumerate(style.SIGMA_GREYS, start=1))):
        axes.axhspan(mean - reach * sigma, mean + reach * sigma, color=grey, linewidth=0, zorder=0)


def _draw_sweeps(axes: Axes, form: Form, summary: pd.DataFrame) -> None:
    for regularizer in style.REGULARIZERS:
        rows = summary[summary["regularizer"] == regularizer].sort_values("percent")
        if not rows.empty:
            draw_means(axes, form, regularizer, rows["percent"], rows)


def draw_means(axes: Axes, form: Form, regularizer: str, x: Iterable[float], summary: pd.DataFrame) -> None:
    """A regulariser's line in the colour of the form: at each x the columns mean and sem of the summary."""
    options = {**look(regularizer), "color": style.COLORS[form], "elinewidth": 0.8, "label": regularizer}
    axes.errorbar(x, summary["mean"], summary["sem"], **options)


def look(regularizer: str) -> dict[str, str | float]:
    """Line and marker of a regulariser, as keyword arguments of matplotlib."""
    size = 5.5 if regularizer == "dropout" else 3.5  # a star fills less of its size
    line = {"linestyle": style.LINES[regularizer], "linewidth": 0.9}
    return {**line, "marker": style.MARKERS[regularizer], "markersize": size, "markeredgewidth": 0}


def legend(figure: Figure, bottom: float) -> None:
    """Say what markers and grey bands are, in one line at a height in inches."""
    handles = [Line2D([], [], color="0.25", **look(regularizer)) for regularizer in style.REGULARIZERS]
    bands = tuple(Patch(color=grey) for grey in style.SIGMA_GREYS)
    figure.legend(
        [*handles, bands],
        [*style.REGULARIZERS.values(), "untrained, mean ± 1, 2, 3 σ"],
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="lower center",
        bbox_to_anchor=(0.5, bottom / figure.get_figheight()),
        ncols=4,
        frameon=False,
        columnspacing=2.5,
        handlelength=2.4,
    )
