"""How good is the paper's single search? Restarts, the Leiden algorithm and another start."""

from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.score_panels import count_gains, draw_count_scale, draw_counts
from unit_clusters_paper.results.selection import experiments, keep_good

COMPARISONS = (
    ("q", "q_best", "the paper's run", "best of all restarts"),
    ("q_leiden", "q_best", "best of 20 Leiden runs", "best of all restarts"),
    ("q_from_one_cluster_full", "q", "one cluster, equal steps", "spectral start"),
)
"""Two columns of modularity.csv, and what to call them; the second is set against the first."""

LEAST_Q = 1e-3
"""With less, a matrix has no structure to find, and a gain in percent says nothing."""

GRAYS = ("0", "0.45", "0.7", "0.25", "0.85", "0.6")
"""Of the experiments, by turns."""


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw three comparisons, matrix by matrix, and how many of a matrix's restarts end in its best clustering.

    Args:
        modularity: modularity.csv; columns that it lacks, or of which all are NaN, leave their panels empty but for a
            note.
    """
    names = experiments(models)
    kept = keep_good(modularity[modularity["experiment"].isin(names)], models)
    figure = Figure(figsize=(style.WIDTH, 8.2 + 0.2 * len(names)))
    panels = figure.subplots(2, 2)
    compared = np.delete(panels, 2)
    for letter, axes, (before, after, name, better) in zip("abd", compared, COMPARISONS, strict=True):
        axes.set(xlabel=f"Q, {name}", ylabel="gain in Q (percent)")
        title = rf"$\bf{{{letter}}}$   {better} against {name}"
        axes.set_title("\n".join([title, *_draw_gains(axes, kept, before, after)]), loc="left", fontsize=7)
    _draw_successes(panels[1, 0], kept, r"$\bf{c}$   how often restarts find the best")
    draw_count_scale(panels)
    note = f"a, b, d: a matrix (of Q above {LEAST_Q:g}) counts once; above 0 the search named first is better."
    style.footnote(figure, [note, *(sweeps.describe(name, modularity, models) for name in names)])
    return figure


def _draw_gains(axes: Axes, modularity: pd.DataFrame, before: str, after: str) -> list[str]:
    """Draw by how many percent column `after` exceeds column `before`, where that is above LEAST_Q; sum up in words."""
    pairs = modularity.reindex(columns=["experiment", before, after]).dropna()
    pairs = pairs[pairs[before] > LEAST_Q]
    if pairs.empty:
        style.say(axes, f"no {after if before == 'q' else before} in the tables")
        return []
    gains = 100 * (pairs[after] / pairs[before] - 1)
    low, high = gains.min(), gains.max()
    margin = 0.03 * max(high - low, 1)
    draw_counts(
        axes, pairs[before].to_numpy(), gains.to_numpy(), (0, 1.03 * pairs[before].max(), low - margin, high + margin)
    )
    axes.axhline(0, color="black", linewidth=0.7, zorder=0)
    return [
        f"{name}: {count_gains(rows[before], rows[after])}; median {gains[rows.index].median():+.2f}%"
        for name, rows in pairs.groupby("experiment", sort=False)
    ]


def _draw_successes(axes: Axes, modularity: pd.DataFrame, title: str) -> None:
    """Draw the share of matrices by the number of restarts that end in the best clustering, a bar an experiment."""
    counts = modularity.reindex(columns=["experiment", "best_restarts"]).dropna()
    axes.set(xlabel="number of restarts that end in the best clustering", ylabel="share of matrices")
    if counts.empty:
        axes.set_title(title, loc="left", fontsize=7)
        style.say(axes, "no best_restarts in the tables")
        return
    bins = np.arange(counts["best_restarts"].max() + 1)
    groups = counts.groupby("experiment", sort=False)["best_restarts"]
    width = 0.81 / len(groups)
    for place, ((name, found), color) in enumerate(zip(groups, cycle(GRAYS))):
        shares = [(found == number).mean() for number in bins]
        axes.bar(bins + width * (place - (len(groups) - 1) / 2), shares, width, color=color, label=name)
    axes.set_xticks(bins[::2])
    place = {"loc": "lower left", "bbox_to_anchor": (0, 1), "borderaxespad": 0, "borderpad": 0}
    axes.legend(**place, ncols=3, title=title, alignment="left", fontsize=7, title_fontsize=7)
