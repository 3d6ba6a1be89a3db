"""What networks lose with a cluster of units, beside random sets of as many, against regularization."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.plots import style
from unit_clusters.similarity.measures import MEASURES, RECORDS, Form
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.sweep_panels import X_LABEL, draw_means, look, percent_regularization
from unit_clusters_paper.results.selection import keep_good

ROWS = {
    "loss of a cluster,\ntimes a random set's": ("loss", "loss_random"),
    "loss of a cluster,\ntimes a matched set's": ("loss", "loss_matched"),
    "loss of its units alone,\ntimes the cluster's": ("loss_units", "loss"),
    "classes that lose,\ntimes a random set's": ("classes", "classes_random"),
}
"""What each row of panels shows: the sum over clusters of one column by that of another."""

NOTES = (
    "A cluster's units are held at their means. Random sets: as many live units; matched: as many that, one by one, "
    "cost as much in sum. Line: as by chance; in the third row, as much as its units one by one.",
    "Points: mean ± standard error over seeds; of each network, sums over all clusters by normalized measures.",
)


@rc_context(style.RC)
def draw(lesions: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw a column a measure and a row a ratio, from the base networks in lesions.csv."""
    kept = keep_good(lesions[lesions["experiment"] == "base"], models)
    figure = Figure(figsize=(style.WIDTH, 6.6))
    body = figure.subfigures()
    part = body.subfigures()
    panels = part.subplots(len(ROWS), len(MEASURES), sharex=True, sharey="row")
    for column, measure in zip(panels.T, MEASURES, strict=True):
        form = Form(measure, normalized=True)
        column[0].set_title(f"{RECORDS[measure].family}\n{style.label(form)}", fontsize=style.MATH_SIZE, color=form.ink)
        for axes, ratio in zip(column, ROWS.values(), strict=True):
            _draw_ratio(axes, form, kept[kept["measure"] == measure], *ratio)
    for axes, words in zip(panels[:, 0], ROWS, strict=True):
        axes.set_ylabel(words, fontsize=7)
    part.supxlabel(X_LABEL)
    entries = {word: Line2D([], [], color="0.25", **look(name)) for name, word in sweeps.REGULARIZERS.items()}
    body.legend(entries.values(), entries, loc="outside lower center", ncols=len(entries))
    style.footnote(figure, [*NOTES, sweeps.describe("base", lesions, models)])
    return figure


def _draw_ratio(axes: Axes, form: Form, rows: pd.DataFrame, part: str, whole: str) -> None:
    axes.axhline(1, color="0.3", linewidth=0.7)
    if rows.empty:
        style.say(axes, "no lesions")
    keys = ["regularizer", "strength", "seed"]
    sums = rows.dropna(subset=[part, whole]).groupby(keys)[[part, whole]].sum()
    ratios = (sums[part] / sums[whole].where(sums[whole] > 0)).rename("ratio").reset_index()
    for regularizer, values in ratios.groupby("regularizer"):
        points = values.groupby("strength")["ratio"].agg(["mean", "sem"]).assign(seed_sem=np.nan, few=False)
        x = percent_regularization(regularizer, points.index.to_numpy())
        draw_means(axes, form, regularizer, x, points)
