"""Do other scores of agreement order the pairs of measures as element similarity does? (section 4.4)"""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.figures import style
from unit_clusters.figures.pair_panels import mean_scores
from unit_clusters.measures import FORMS, Form

SCORES = {
    "rmi": "reduced mutual\ninformation",
    "vi": "variation of inf.,\nas a similarity",
    "ari": "adjusted\nRand index",
    "nmi": "normalized mutual\ninformation",
    "spearman": "Spearman correlation\nof the matrices",
}
"""Columns of agreement.csv, a column of panels each."""

KINDS = {
    "with its normalized form": {"marker": "o", "color": "black"},
    "two upstream measures": {"marker": "^", "color": style.COLORS[Form("cov", True)]},
    "two downstream measures": {"marker": "v", "color": style.COLORS[Form("o_sens", True)]},
    "upstream with downstream": {"marker": "x", "color": "0.5"},
}

# Inches.
SIDE, GAP, LEFT, BOTTOM = 0.97, (0.33, 0.2), 0.68, 1.5


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw a row of panels an experiment and a column a score; a point is the mean of a pair over trained networks.

    Args:
        agreement: agreement.csv; a score that it lacks, or all NaN, leaves its panels empty but for a note.
        models: models.csv, to know which networks to discard.

    Raises:
        ValueError: `agreement` holds a network that `models` does not.
    """
    kept = style.keep_good(agreement, models)
    top = BOTTOM + len(style.EXPERIMENTS) * (SIDE + GAP[1]) - GAP[1]
    figure = Figure(figsize=(style.WIDTH, top + 0.45))
    for row, experiment in enumerate(style.EXPERIMENTS):
        trained = kept[(kept["experiment"] == experiment) & (kept["regularizer"] != "none")]
        for column, score in enumerate(SCORES):
            place = LEFT + column * (SIDE + GAP[0]), top - row * (SIDE + GAP[1]) - SIDE, SIDE, SIDE
            beside = figure.axes[column] if row else None
            axes = style.axes_at(figure, *place, sharex=figure.axes[0] if figure.axes else None, sharey=beside)
            axes.tick_params(labelbottom=row == len(style.EXPERIMENTS) - 1)
            _draw_pairs(axes, trained, score)
            if row == 0:
                axes.set_title(SCORES[score], fontsize=7.5)
        figure.axes[-len(SCORES)].set_ylabel(f"{experiment}\nmean score")
    _label(figure)
    note = "Up and right: more alike. ρ: rank correlation."
    style.footnote(figure, [note, *style.describe_each(agreement, kept)])
    return figure


def kind(a: Form, b: Form) -> str:
    """Which of the KINDS a pair is."""
    own, upstream, downstream, across = KINDS
    if a.measure == b.measure:
        return own
    if a.upstream != b.upstream:
        return across
    return upstream if a.upstream else downstream


def _draw_pairs(axes: Axes, trained: pd.DataFrame, score: str) -> None:
    if score not in trained or trained[score].isna().all():
        style.say(axes, f"no {score}" if len(trained) else "no networks")
        return
    x, y = (mean_scores(trained, column, diagonal=np.nan) for column in ("element_similarity", score))
    for a, b in combinations(range(len(FORMS)), 2):
        look = KINDS[kind(FORMS[a], FORMS[b])]
        axes.plot(x[a, b], y[a, b], linestyle="", markersize=3.5, markeredgewidth=0.8, **look)
    pairs = np.triu_indices(len(FORMS), 1)
    points = pd.DataFrame({"x": x[pairs], "y": y[pairs]}).dropna()
    rho = points.rank().corr().loc["x", "y"]
    axes.text(0.05, 0.97, f"ρ = {rho:.2f}", transform=axes.transAxes, va="top")


def _label(figure: Figure) -> None:
    height = figure.get_figheight()
    middle = (LEFT + (len(SCORES) * (SIDE + GAP[0]) - GAP[0]) / 2) / style.WIDTH
    figure.text(middle, (BOTTOM - 0.4) / height, "mean element similarity", ha="center", fontsize=8)
    handles = [Line2D([], [], linestyle="", markersize=4, **look, label=name) for name, look in KINDS.items()]
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.62 / height)}
    figure.legend(handles=handles, **place, ncols=4, frameon=False, handletextpad=0.1, columnspacing=1.2)
