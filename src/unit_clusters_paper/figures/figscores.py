"""Do other scores of agreement order the pairs of measures as element similarity does? (section 4.4)"""

from itertools import combinations

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.plots import style
from unit_clusters.plots.agreement import mean_scores
from unit_clusters.similarity.measures import FAMILIES, FORMS, RECORDS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.pair_panels import KINDS
from unit_clusters_paper.results.selection import experiments, is_untrained, keep_good

SCORES = {
    "rmi": "reduced mutual information,\nbits per unit",
    "vi": "variation of information,\nas a similarity",
    "ari": "adjusted\nRand index",
    "spearman": "Spearman correlation\nof the matrices",
}
"""Columns of agreement.csv, a column of panels each.

Not nmi: normalized mutual information is I / mean(H_a, H_b), and `vi` the mean of I / H_a and I / H_b; in these tables
the two are one statistic.
"""

LOOKS = {
    "own": ("with its normalized form", {"marker": "o", "color": "black"}),
    **{
        family: (f"two {family} measures", {"marker": marker, "color": RECORDS[measures[0]].normalized_color})
        for (family, measures), marker in zip(FAMILIES.items(), "^v", strict=True)
    },
    "across": ("upstream with downstream", {"marker": "x", "color": "0.5"}),
}
"""How to call and draw each kind of pair."""


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw a row of panels an experiment and a column a score; a point is the mean of a pair over trained networks.

    Args:
        agreement: agreement.csv; a score that it lacks, or all NaN, leaves its panels empty but for a note.
    """
    names, kept = experiments(models), keep_good(agreement, models)
    figure = Figure(figsize=(style.WIDTH, 1.7 + 1.65 * len(names)))
    body = figure.subfigures()
    part = body.subfigures()
    panels = part.subplots(len(names), len(SCORES), sharex=True, sharey="col", squeeze=False)
    for row, experiment in zip(panels, names, strict=True):
        trained = kept[(kept["experiment"] == experiment) & ~is_untrained(kept)]
        for axes, score in zip(row, SCORES, strict=True):
            axes.tick_params(labelleft=True)
            title = f"{SCORES[score]}\n" if axes in panels[0] else ""
            axes.set_title(title + _draw_pairs(axes, trained, score), fontsize=7.5)
        row[0].set_ylabel(f"{experiment}\nmean score")
    part.supxlabel("mean element similarity")
    handles = [Line2D([], [], linestyle="", markersize=4, **look, label=name) for name, look in LOOKS.values()]
    body.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.1, columnspacing=1.2)
    note = "Up and right: more alike. ρ: rank correlation."
    style.footnote(figure, [note, *(sweeps.describe(name, agreement, models) for name in names)])
    return figure


def _draw_pairs(axes: Axes, trained: pd.DataFrame, score: str) -> str:
    """Draw a score of each pair against its element similarity; return their rank correlation in words."""
    if score not in trained or trained[score].isna().all():
        style.say(axes, f"no {score}" if len(trained) else "no networks")
        return ""
    x, y = (mean_scores(trained, column, diagonal=np.nan) for column in ("element_similarity", score))
    for pair in combinations(range(len(FORMS)), 2):
        _, look = LOOKS[KINDS[pair]]
        axes.plot(x[pair], y[pair], linestyle="", markersize=3.5, markeredgewidth=0.8, **look)
    pairs = np.triu_indices(len(FORMS), 1)
    points = pd.DataFrame({"x": x[pairs], "y": y[pairs]}).dropna()
    return f"ρ = {points.rank().corr().loc['x', 'y']:.2f}"
