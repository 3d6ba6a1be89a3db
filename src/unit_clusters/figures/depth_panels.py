"""Modularity or number of clusters against depth at the strongest regularisation that still learns (Figs. S9, S10)."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.figures import style
from unit_clusters.figures.sweep_panels import LEFT, Quantity, draw_means, empty_panels, legend
from unit_clusters.measures import FORMS, Form


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
    strongest = {}
    for regularizer in style.REGULARIZERS:
        good = style.good_strengths(models, "deep", regularizer)
        if good:
            strongest[regularizer] = good[-1]
    figure = Figure(figsize=(style.WIDTH, 4.15))
    panels = empty_panels(figure, LEFT, 1.2, quantity)
    for form, axes in panels.items():
        rows = style.of_form(kept, form)
        _draw_untrained(axes, rows[rows["regularizer"] == "none"], quantity)
        for regularizer, strength in strongest.items():
            chosen = (rows["regularizer"] == regularizer) & (rows["strength"] == strength)
            _draw_line(axes, form, regularizer, rows[chosen], quantity)
        if not strongest:
            style.say(axes, "no trained networks")
    layers = sorted(kept["layer"].unique())
    panels[FORMS[0]].set(xticks=layers, ylim=(0, None))
    figure.text((LEFT + 3.1) / style.WIDTH, 0.97 / figure.get_figheight(), "hidden layer", ha="center", va="top")
    legend(figure, 0.5)
    chosen = ", ".join(f"{style.REGULARIZERS[name]} {strength:.3g}" for name, strength in strongest.items())
    notes = [f"{chosen}: the largest with at least half of its seeds at {style.MIN_TEST_ACCURACY:.0%} test accuracy."]
    points = "Points: mean ± standard error over seeds."
    style.footnote(figure, [points, *notes * bool(chosen), style.describe("deep", table, kept)])
    return figure


def _draw_untrained(axes: Axes, untrained: pd.DataFrame, quantity: Quantity) -> None:
    """Grey boxes around each layer: mean +- 1, 2, 3 standard deviations of single networks."""
    summary = untrained.groupby("layer")[quantity.column].agg(["mean", "std"]).dropna()
    for layer, mean, sigma in summary.itertuples():
        for reach, grey in reversed(list(enumerate(style.SIGMA_GREYS, start=1))):
            corner = (layer - 0.5, mean - reach * sigma)
            axes.add_patch(Rectangle(corner, 1, 2 * reach * sigma, color=grey, linewidth=0, zorder=0))


def _draw_line(axes: Axes, form: Form, regularizer: str, rows: pd.DataFrame, quantity: Quantity) -> None:
    summary = rows.groupby("layer")[quantity.column].agg(["mean", "sem"])
    draw_means(axes, form, regularizer, summary.index, summary)
