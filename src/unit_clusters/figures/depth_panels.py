"""Modularity or number of clusters against depth at the strongest regularisation that still learns (Figs. S9, S10)."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.figures import style
from unit_clusters.figures.sweep_panels import HEADER, LEFT, ROWS, Quantity, draw_means, empty_panels, fit, legend
from unit_clusters.similarity.measures import FORMS

BOTTOM = 1.2
"""Inches."""


@rc_context(style.RC)
def draw_depth(modularity: pd.DataFrame, models: pd.DataFrame, quantity: Quantity) -> Figure:
    """Draw eight panels of Experiment 3, each a form: a line a regulariser, grey bands for untrained networks.

    A line shows the largest good strength of its regulariser, `style.good_strengths`.

    Args:
        modularity: modularity.csv.
        models: models.csv, to know the good strengths and which networks to discard.
        quantity: what to show.

    Raises:
        ValueError: `modularity` holds a network that `models` does not.
    """
    table = modularity[modularity["experiment"] == "deep"]
    kept = style.keep_good(table, models)
    strongest = {
        regularizer: good[-1:]
        for regularizer in style.REGULARIZERS
        if (good := style.good_strengths(models, "deep", regularizer))
    }
    drawn = style.at_strengths(kept, strongest)
    summary = _summarize(drawn, models, quantity.column)
    figure = Figure(figsize=(style.WIDTH, BOTTOM + ROWS + HEADER + 0.15))
    panels = empty_panels(figure, LEFT, BOTTOM, quantity)
    for form, axes in panels.items():
        _draw_untrained(axes, style.of_form(kept[kept["regularizer"] == "none"], form), quantity.column)
        for regularizer, rows in style.of_form(summary, form).groupby("regularizer", sort=False):
            draw_means(axes, form, regularizer, rows["layer"], rows)
        if not strongest:
            style.say(axes, "no trained networks")
    panels[FORMS[0]].set(xticks=sorted(kept["layer"].unique()))
    fit([panels[FORMS[0]]], quantity)
    figure.text(
        (LEFT + 3.1) / style.WIDTH, (BOTTOM - 0.22) / figure.get_figheight(), "hidden layer", ha="center", va="top"
    )
    legend(figure, 0.6)
    chosen = ", ".join(f"{style.REGULARIZERS[name]} {style.number(*strength)}" for name, strength in strongest.items())
    notes = [f"{chosen}: the largest with at least half of its seeds at {style.MIN_TEST_ACCURACY:.0%} test accuracy."]
    points = "Points: mean ± standard error over seeds."
    style.footnote(figure, [points, *notes * bool(chosen), style.describe("deep", table, kept, drawn)])
    return figure


def _summarize(drawn: pd.DataFrame, models: pd.DataFrame, column: str) -> pd.DataFrame:
    """A row for each point, as `draw_means` wants it; of one layer, so there are no layers to be averaged."""
    groups = drawn.dropna(subset=column).groupby(["experiment", *style.SETTING, "layer"], sort=False)
    summary = groups[column].agg(["mean", "sem"]).assign(seed_sem=float("nan"))
    summary["few"] = style.few(groups["seed"].nunique(), models)
    return summary.reset_index()


def _draw_untrained(axes: Axes, untrained: pd.DataFrame, column: str) -> None:
    """Grey boxes around each layer: mean +- 1, 2, 3 standard deviations of single networks."""
    summary = untrained.groupby("layer")[column].agg(["mean", "std"]).dropna()
    for layer, mean, sigma in summary.itertuples():
        for reach, grey in reversed(list(enumerate(style.SIGMA_GREYS, start=1))):
            corner = (layer - 0.5, mean - reach * sigma)
            axes.add_patch(Rectangle(corner, 1, 2 * reach * sigma, color=grey, linewidth=0, zorder=0))
