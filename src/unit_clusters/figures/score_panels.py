"""One modularity score against another, a point a matrix (Figs. S5 and restarts)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.figures import style
from unit_clusters.measures import FORMS

TIE = 1e-9
"""Scores that differ by less are equal."""


def draw_against(axes: Axes, modularity: pd.DataFrame, x: str, y: str) -> None:
    """Draw column `y` against column `x`, with the line y = x, and the share of points above and below it.

    Rows in which either is NaN are left out.
    """
    pairs = modularity.reindex(columns=["measure", "normalized", x, y]).dropna()
    axes.set_aspect("equal")
    if pairs.empty:
        style.say(axes, f"no {x} in the tables")
        return
    colors = [style.COLORS[form] for form in pairs[["measure", "normalized"]].itertuples(index=False, name=None)]
    axes.scatter(pairs[x], pairs[y], s=5, c=colors, alpha=0.6, linewidths=0, rasterized=True)
    axes.axline((0, 0), slope=1, color="black", linewidth=0.7)
    ends = min(0, pairs[[x, y]].min(axis=None)), 1.04 * pairs[[x, y]].max(axis=None)
    axes.set(xlim=ends, ylim=ends)
    gain = pairs[y] - pairs[x]
    above, below = (gain > TIE).mean(), (gain < -TIE).mean()
    corner = {"transform": axes.transAxes, "va": "top"}
    axes.text(0.03, 0.98, f"{len(pairs):,} matrices\n{above:.1%} above the line\n{below:.1%} below", **corner)
    axes.text(0.97, 0.05, f"median difference\n{gain.median():.2g}", transform=axes.transAxes, ha="right", va="bottom")


def name_colors(figure: Figure, bottom: float) -> None:
    """Say which colour is which form, in two lines at a height in inches."""
    points = {"linestyle": "", "marker": "o", "markersize": 4}
    figure.legend(
        [Line2D([], [], color=style.COLORS[form], **points) for form in FORMS],
        [style.label(form) for form in FORMS],
        loc="lower center",
        bbox_to_anchor=(0.5, bottom / figure.get_figheight()),
        ncols=8,
        frameon=False,
        fontsize=style.MATH_SIZE,
        handletextpad=0,
        columnspacing=1,
    )
