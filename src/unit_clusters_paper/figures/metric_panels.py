"""Performance, weight norms and sparsity against regularisation strength (Figs. S2 to S4)."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from unit_clusters.plots import style
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.results.selection import LIMIT, is_good, is_untrained, limit

METRICS = {
    "train_accuracy": "training\naccuracy",
    "test_accuracy": "test\naccuracy",
    "l2_norm": "L2 norm\n(sum of squares)",
    "l1_norm": "L1 norm",
    "sparsity": "sparsity\n(|w| < 0.001)",
}
"""Columns of models.csv, a row of panels each, from the top."""

STRENGTHS = {"l2": "L2 strength", "l1": "L1 strength", "dropout": "dropout probability"}

SEEDS = colormaps["tab10"]

MEAN = {"color": "black", "linewidth": 1.4, "marker": "o", "markersize": 2.5}
UNTRAINED = {"color": "0.6", "linewidth": 1.2}

ACCURACIES = {
    "train_accuracy": (0.1, 0.8, 0.95, 0.99, 0.999, 1),
    "test_accuracy": (0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99),
}
"""Ticks; networks err more seldom on the images that they are trained with."""

RESOLUTION = 1e-4
"""One error in 10,000 images; where none is made, the scale of accuracy needs an end."""

# Inches.
WIDTH, HEIGHT, GAP = 1.8, 1.15, (0.22, 0.12)
LEFT, BOTTOM = 0.88, 1.3


@rc_context(style.RC)
def draw(models: pd.DataFrame, experiment: str) -> Figure:
    """Draw a row of panels a metric and a column a regulariser, all trained networks of one experiment included.

    Accuracies have a logarithmic scale of the error, 1 - accuracy, so that 0.95, 0.98 and 0.99 are told apart.

    Args:
        models: models.csv; other experiments in it are ignored.
        experiment: its name in the tables.
    """
    table = models[models["experiment"] == experiment]
    top = BOTTOM + len(METRICS) * (HEIGHT + GAP[1])
    figure = Figure(figsize=(style.WIDTH, top + 0.25))
    shown = sweeps.with_baseline(table, table)
    for column, regularizer in enumerate(sweeps.REGULARIZERS):
        first = None
        for row, metric in enumerate(METRICS):
            place = LEFT + column * (WIDTH + GAP[0]), top - (row + 1) * (HEIGHT + GAP[1]), WIDTH, HEIGHT
            beside = figure.axes[row] if column else None
            axes = style.axes_at(figure, *place, sharex=first, sharey=beside)
            first = first or axes
            _draw_metric(axes, shown, regularizer, metric)
            axes.tick_params(which="both", labelbottom=row == len(METRICS) - 1, labelleft=column == 0)
            if column == 0:
                axes.set_ylabel(METRICS[metric])
                axes.yaxis.set_label_coords(-0.5 / WIDTH, 0.5)
        first.set_title(sweeps.REGULARIZERS[regularizer])
        figure.axes[-1].set_xlabel(STRENGTHS[regularizer])
    _legend(figure)
    untrained = is_untrained(table).sum()
    style.footnote(
        figure,
        [
            f"{experiment.capitalize()}: {len(table) - untrained} trained networks, none left out here; "
            f"{untrained} untrained.",
            f"Dotted: {limit(models)} test accuracy; figures of modularity and agreement leave out the networks below "
            "it. A strength with seeds on both sides of it has no mean; dots are its seeds.",
            f"{sweeps.BASELINE} Accuracies: on a logarithmic scale of the error.",
        ],
    )
    return figure


def to_height(accuracy: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Where an accuracy stands on its scale: minus the logarithm of the error."""
    return -np.log10(1 - accuracy + RESOLUTION)


def to_accuracy(height: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The inverse of `to_height`."""
    return 1 + RESOLUTION - 10.0 ** -np.asarray(height)


def is_split(rows: pd.DataFrame) -> pd.Series:
    """Of each strength, whether some of its networks are good and others are not."""
    good = is_good(rows).groupby(rows["strength"]).mean()
    return (good > 0) & (good < 1)


def _draw_metric(axes: Axes, table: pd.DataFrame, regularizer: str, metric: str) -> None:
    """Thin lines for seeds, a thick one for their mean and standard error, grey for the mean of untrained networks."""
    rows = table[table["regularizer"] == regularizer]
    if rows.empty:
        style.say(axes, f"no {sweeps.REGULARIZERS[regularizer]} networks")
        return
    _scale(axes, regularizer, metric)
    split = is_split(rows)
    for seed, of_seed in rows.sort_values("strength").groupby("seed"):
        line = {"color": SEEDS(seed % SEEDS.N), "linewidth": 0.6, "marker": "o", "markersize": 2, "zorder": 2}
        dots = np.flatnonzero(split[of_seed["strength"]])
        axes.plot(of_seed["strength"], of_seed[metric], **line, markevery=dots.tolist())
    summary = rows.groupby("strength")[metric].agg(["mean", "sem"]).mask(split)
    axes.errorbar(summary.index, summary["mean"], summary["sem"], **MEAN, zorder=3)
    axes.axhline(table.loc[is_untrained(table), metric].mean(), **UNTRAINED, zorder=1)
    if metric == "test_accuracy":
        axes.axhline(table[LIMIT].max(), color="black", linewidth=0.7, linestyle=":", zorder=1)


def _scale(axes: Axes, regularizer: str, metric: str) -> None:
    if regularizer != "dropout":
        sweeps.logarithmic(axes, "x")
    if metric.endswith("_norm"):
        sweeps.logarithmic(axes, "y")
    elif metric in ACCURACIES:
        axes.set_yscale("function", functions=(to_height, to_accuracy))
        axes.set_yticks(ACCURACIES[metric], map(sweeps.number, ACCURACIES[metric]))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        axes.set_ylim(-0.05, 1.05)


def _legend(figure: Figure) -> None:
    lines = [
        Line2D([], [], **MEAN, label="mean ± standard error"),
        Line2D([], [], color=SEEDS(0), linewidth=0.6, label="one seed"),
        Line2D([], [], **UNTRAINED, label="mean of untrained networks"),
    ]
    place = (0.5, 0.6 / figure.get_figheight())
    figure.legend(handles=lines, loc="lower center", bbox_to_anchor=place, ncols=3, frameon=False)
