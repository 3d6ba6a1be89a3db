"""Performance, weight norms and sparsity against regularization strength (Figs. S2 to S4)."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.legend_handler import HandlerTuple
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
MEAN_OF_UNTRAINED = {"color": "0.6", "linewidth": 1.2}

ACCURACIES = {
    "train_accuracy": (0.1, 0.8, 0.95, 0.99, 0.999, 1),
    "test_accuracy": (0.1, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99),
}
"""Ticks; networks err more seldom on the images that they are trained with."""

RESOLUTION = 1e-4
"""One error in 10,000 images; where none is made, the scale of accuracy needs an end."""


@rc_context(style.RC)
def draw(models: pd.DataFrame, experiment: str) -> Figure:
    """Draw a row of panels a metric and a column a regularizer, all trained networks of one experiment included.

    Accuracies have a logarithmic scale of the error, 1 - accuracy, so that 0.95, 0.98 and 0.99 are told apart.

    Args:
        models: models.csv; other experiments in it are ignored.
        experiment: its name in the tables.
    """
    table = models[models["experiment"] == experiment]
    figure = Figure(figsize=(style.WIDTH, 7.9))
    body = figure.subfigures()
    panels = body.subplots(len(METRICS), len(STRENGTHS), sharex="col", sharey="row")
    shown = sweeps.with_baseline(table, table)
    for column, (regularizer, label) in zip(panels.T, STRENGTHS.items(), strict=True):
        for axes, metric in zip(column, METRICS, strict=True):
            _draw_metric(axes, shown, regularizer, metric)
        column[0].set_title(sweeps.REGULARIZERS[regularizer])
        column[-1].set_xlabel(label)
    for axes, label in zip(panels[:, 0], METRICS.values(), strict=True):
        axes.set_ylabel(label)
        axes.yaxis.set_label_coords(-0.28, 0.5)
    _legend(body)
    untrained = is_untrained(table).sum()
    style.footnote(
        figure,
        [
            f"{experiment.capitalize()}: {len(table) - untrained} trained networks, none left out here; "
            f"{untrained} untrained.",
            f"Dotted: {limit(models)} test accuracy; figures of modularity and agreement leave out the networks below "
            "it. A strength with seeds on both sides of it has no mean; dots are its seeds.",
            f"{sweeps.BASELINE_NOTE} Accuracies: on a logarithmic scale of the error plus {sweeps.number(RESOLUTION)}, "
            "so that 1 has a place.",
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
    """Thin lines for seeds, a thick one for their mean and standard error, gray for the mean of untrained networks."""
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
    axes.axhline(table.loc[is_untrained(table), metric].mean(), **MEAN_OF_UNTRAINED, zorder=1)
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


def _legend(figure: SubFigure) -> None:
    entries = {
        "mean ± standard error": Line2D([], [], **MEAN),
        "seeds": tuple(Line2D([], [], color=SEEDS(seed), linewidth=0.6) for seed in range(3)),
        "mean of untrained networks": Line2D([], [], **MEAN_OF_UNTRAINED),
    }
    handlers = {tuple: HandlerTuple(ndivide=None)}
    figure.legend(entries.values(), entries, handler_map=handlers, loc="outside lower center", ncols=3)
