"""Figure S5: what the Monte Carlo search adds to the spectral start, and the spectral start to the search."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.score_panels import count_gains, draw_count_scale, draw_counts
from unit_clusters_paper.results.selection import experiments, keep_good

PANELS = {"q_spectral": "spectral start only", "q_from_one_cluster": "one cluster + 1,000 Monte Carlo steps"}
"""Columns of modularity.csv to set against q, and what to call them."""

MIDDLE = 0.1, 0.9
"""Quantiles between which the lower panels show the matrices."""


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw Figure S5, in two ranges; right are the matrices that were clustered again."""
    names = experiments(models)
    kept = keep_good(modularity[modularity["experiment"].isin(names)], models)
    figure = Figure(figsize=(style.WIDTH, 8.2))
    panels = figure.subplots(2, 2)
    for axes, letter in zip(panels.flat, "abcd", strict=True):
        axes.set_title(letter, loc="left", weight="bold")
    for column, (upper, lower) in zip(PANELS, panels.T, strict=True):
        pairs = kept.reindex(columns=[column, "q"]).dropna()
        for axes in (upper, lower):
            axes.set(xlabel=f"{style.Q_STAR}, {PANELS[column]}", ylabel=f"{style.Q_STAR}, spectral start + Monte Carlo")
        if pairs.empty:
            style.say(upper, f"no {column} in the tables")
            continue
        median = (pairs["q"] - pairs[column]).median()
        gains = count_gains(pairs[column], pairs["q"])
        upper.set_title(f"{len(pairs):,} matrices: {gains};\nmedian difference {median:.2g}", fontsize=7.5)
        lower.set_title("the same, enlarged where most of them are", fontsize=7.5)
        _draw_panel(upper, pairs[column], pairs["q"], 0, pairs["q"].max())
        _draw_panel(lower, pairs[column], pairs["q"], pairs[column].quantile(MIDDLE[0]), pairs["q"].quantile(MIDDLE[1]))
    draw_count_scale(panels)
    notes = ["Above the line the full procedure, spectral start and Monte Carlo, finds a better clustering."]
    style.footnote(figure, [*notes, *(sweeps.describe(name, modularity, models) for name in names)])
    return figure


def _draw_panel(axes: Axes, x: pd.Series, y: pd.Series, start: float, end: float) -> None:
    """Draw `y` against `x` from `start` to `end`, and a little beyond, with the line on which they are equal."""
    end += 0.03 * (end - start) or 0.01
    draw_counts(axes, x.to_numpy(), y.to_numpy(), (start, end, start, end))
    axes.axline((start, start), slope=1, color="black", linewidth=0.7)
    axes.locator_params(nbins=8)  # not as many as fit, which changes when room is made for them
