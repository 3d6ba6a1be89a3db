"""How good is the paper's single search? Restarts, the Leiden algorithm and another start."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.score_panels import TIE, name_colors

COMPARISONS = (
    ("q", "q_best", "the paper's run", "best of all restarts"),
    ("q_leiden", "q_best", "best of 20 Leiden runs", "best of all restarts"),
    ("q_from_one_cluster_full", "q", "one cluster, equal steps", "spectral start"),
)
"""Two columns of modularity.csv, and what to call them; the second is set against the first."""

LEAST_Q = 1e-3
"""With less, a matrix has no structure to find, and a gain in percent says nothing."""

LOOKS = {"base": ("0.6", "o"), "wide": ("black", "s"), "deep": ("0.35", "^")}
"""Grey and marker of an experiment."""

# Inches.
SIDE = 2.75


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw three comparisons, a point a matrix, and how many of a matrix's restarts end in its best clustering.

    Args:
        modularity: modularity.csv; columns that it lacks, or of which all are NaN, leave their panels empty but for a
            note.
        models: models.csv, to know which networks to discard.

    Raises:
        ValueError: `modularity` holds a network that `models` does not.
    """
    kept = style.keep_good(modularity, models)
    figure = Figure(figsize=(style.WIDTH, 8.0))
    places = [(0.62 + 3.4 * column, bottom, SIDE, SIDE) for bottom in (4.9, 1.5) for column in (0, 1)]
    panels = [style.axes_at(figure, *place) for place in places]
    for letter, axes, (before, after, name, better) in zip("abd", np.delete(panels, 2), COMPARISONS, strict=True):
        axes.set_title(rf"$\bf{{{letter}}}$   {better} against {name}", loc="left", fontsize=7.5)
        axes.set(xlabel=f"Q, {name}", ylabel="gain in Q (percent)")
        _draw_gains(axes, kept, before, after)
    panels[2].set_title(r"$\bf{c}$   how often restarts find the best", loc="left", fontsize=7.5)
    _draw_successes(panels[2], kept)
    name_colors(figure, 0.55)
    note = f"a, b, d: a point is a matrix (of Q above {LEAST_Q:g}); above 0 the search named first is better."
    style.footnote(figure, [note, *style.describe_each(modularity, kept)])
    return figure


def _draw_gains(axes: Axes, modularity: pd.DataFrame, before: str, after: str) -> None:
    """By how many percent column `after` exceeds column `before`, matrix by matrix, where that is above LEAST_Q."""
    pairs = modularity.reindex(columns=["experiment", "measure", "normalized", before, after]).dropna()
    pairs = pairs[pairs[before] > LEAST_Q]
    if pairs.empty:
        style.say(axes, f"no {after if before == 'q' else before} in the tables")
        return
    gains = 100 * (pairs[after] / pairs[before] - 1)
    colors = [style.COLORS[form] for form in pairs[["measure", "normalized"]].itertuples(index=False, name=None)]
    axes.scatter(pairs[before], gains, s=5, c=colors, alpha=0.6, linewidths=0, rasterized=True)
    axes.axhline(0, color="black", linewidth=0.7)
    lines = []
    for experiment in style.EXPERIMENTS:
        chosen = gains[pairs["experiment"] == experiment]
        if len(chosen):
            difference = (pairs[after] - pairs[before])[chosen.index]
            above, below = (difference > TIE).mean(), (difference < -TIE).mean()
            lines.append(f"{experiment}: better in {above:.1%}, worse in {below:.1%}; median {chosen.median():+.2f}%")
    axes.margins(y=0.05)
    low, high = axes.get_ylim()
    axes.set_ylim(low, high + 0.25 * (high - low))  # room for the text
    axes.text(0.98, 0.98, "\n".join(lines), transform=axes.transAxes, ha="right", va="top", fontsize=7)


def _draw_successes(axes: Axes, modularity: pd.DataFrame) -> None:
    """The share of matrices by the number of restarts that end in the best clustering, a line an experiment."""
    counts = modularity.reindex(columns=["experiment", "best_restarts"]).dropna()
    axes.set(xlabel="number of restarts that end in the best clustering", ylabel="share of matrices")
    if counts.empty:
        style.say(axes, "no best_restarts in the tables")
        return
    bins = np.arange(counts["best_restarts"].max() + 1)
    for name, (color, marker) in LOOKS.items():
        of_experiment = counts.loc[counts["experiment"] == name, "best_restarts"]
        if not of_experiment.empty:
            shares = [(of_experiment == number).mean() for number in bins]
            axes.plot(bins, shares, color=color, marker=marker, markersize=4, linewidth=0.9, label=name)
    axes.set_ylim(0, None)
    axes.legend(frameon=False)
