"""Modularity or number of clusters against depth at the strongest regularization that still learns (Figs. S9, S10)."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.sweep_panels import (
    QUANTITIES,
    draw_means,
    empty_panels,
    fit,
    legend,
)
from unit_clusters_paper.results.selection import good_strengths, is_untrained, keep_good, limit


@rc_context(style.RC)
def draw(modularity: pd.DataFrame, models: pd.DataFrame, column: str) -> Figure:
    """Draw a panel a form of Experiment 3: a line a regularizer, gray bands for untrained networks.

    A line shows the largest good strength of its regularizer, `good_strengths`.

    Args:
        column: what to show, of QUANTITIES.
    """
    quantity = QUANTITIES[column]
    kept = keep_good(modularity[modularity["experiment"] == "deep"], models)
    strongest = {
        regularizer: good[-1:]
        for regularizer in sweeps.REGULARIZERS
        if (good := good_strengths(models, "deep", regularizer))
    }
    drawn = sweeps.at_strengths(kept, strongest)
    summary = _summarize(drawn, models, column)
    figure = Figure(figsize=(style.WIDTH, 4.6))
    body = figure.subfigures()
    part = body.subfigures()
    panels = empty_panels(part, quantity)
    for form, axes in panels.items():
        _draw_untrained(axes, sweeps.of_form(kept[is_untrained(kept)], form), column)
        for regularizer, rows in sweeps.of_form(summary, form).groupby("regularizer", sort=False):
            draw_means(axes, form, regularizer, rows["layer"], rows)
        if not strongest:
            style.say(axes, "no trained networks")
    panels[FORMS[0]].set(xticks=sorted(kept["layer"].unique()))
    fit([panels[FORMS[0]]], quantity)
    part.supxlabel("hidden layer")
    legend(body)
    chosen = ", ".join(
        f"{sweeps.REGULARIZERS[name]} {sweeps.number(*strength)}" for name, strength in strongest.items()
    )
    notes = [f"{chosen}: the largest with at least half of its seeds at {limit(models)} test accuracy."]
    points = "Points: mean ± standard error over seeds."
    style.footnote(figure, [points, *notes * bool(chosen), sweeps.describe("deep", modularity, models, drawn)])
    return figure


def _summarize(drawn: pd.DataFrame, models: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row for each point, as `draw_means` wants it; of one layer, so there are no layers to be averaged."""
    groups = drawn.dropna(subset=column).groupby(["experiment", *sweeps.SETTING, "layer"], sort=False)
    summary = groups[column].agg(["mean", "sem"]).assign(seed_sem=float("nan"))
    summary["few"] = sweeps.few(groups["seed"].nunique(), models)
    return summary.reset_index()


def _draw_untrained(axes: Axes, untrained: pd.DataFrame, column: str) -> None:
    """Gray boxes around each layer: mean +- 1, 2, 3 standard deviations of single networks."""
    summary = untrained.groupby("layer")[column].agg(["mean", "std"]).dropna()
    for layer, mean, sigma in summary.itertuples():
        for reach, gray in reversed(list(enumerate(sweeps.SIGMA_GRAYS, start=1))):
            corner = (layer - 0.5, mean - reach * sigma)
            axes.add_patch(Rectangle(corner, 1, 2 * reach * sigma, color=gray, linewidth=0, zorder=0))
