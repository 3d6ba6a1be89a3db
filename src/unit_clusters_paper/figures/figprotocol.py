"""What the training protocol decides: Experiment 1 trained at length, beside the same networks stopped early."""

from collections.abc import Collection
from itertools import groupby
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from unit_clusters.plots import style
from unit_clusters.plots.agreement import hundredths
from unit_clusters.similarity.measures import FAMILIES, FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.metric_panels import STRENGTHS
from unit_clusters_paper.figures.sweep_panels import HOLLOW, Quantity, fit
from unit_clusters_paper.results.selection import RUN, is_untrained, keep_good, kinds
from unit_clusters_paper.runs.sweep import UNTRAINED

PROTOCOLS = {
    "base": ("base: long training", {"color": "black", "marker": "o", "linestyle": "-"}),
    "early": ("early: early stopping", {"color": "#d2491c", "marker": "^", "linestyle": "--"}),
}
"""Experiments with the networks and sweeps of Experiment 1: how to call and draw them."""

LINE = {"linewidth": 0.9, "markersize": 3.2, "markeredgewidth": 0}

DIFFERENCE = "#f9d9cd"

BLOCKS = (*FAMILIES, "across")
"""Kinds of pairs, a row of panels each."""


class Strip(NamedTuple):
    """A row of panels."""

    group: str
    """What it shows; the rows of a group stand below each other and have one scale."""
    label: str
    color: str
    values: pd.DataFrame
    """Columns RUN and value: a row a network, its layers averaged."""


@rc_context(style.RC)
def draw(models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame) -> Figure:
    """Draw a column of panels a regularizer and a row a quantity: sparsity, Q* of each form, agreement of the families.

    What lies between the two lines of a panel is shaded: it is what the protocol decides. An experiment that the tables
    lack has no line, and the legend says so.
    """
    models, modularity, agreement = (
        table[table["experiment"].isin(PROTOCOLS)] for table in (models, modularity, agreement)
    )
    kept, modularity, agreement = (keep_good(table, models) for table in (models, modularity, agreement))
    rows = quantities(kept, modularity, agreement)
    figure = Figure(figsize=(style.WIDTH, 9.2))
    body = figure.subfigures()
    cells = body.subplots(len(rows), 1 + len(STRENGTHS), sharex="col", width_ratios=(0.02, 1, 1, 1))
    panels, grid = cells[:, 1:], cells[0, 0].get_gridspec()
    for axes in cells[:, 0]:
        axes.remove()
    for axes, row in zip(panels, rows, strict=True):
        _draw_row(axes, row, models)
    for group, numbered in groupby(range(len(rows)), lambda number: rows[number].group):
        places = list(numbered)
        fit(panels[places].ravel().tolist(), Quantity("value", group, least=0))
        beside = body.add_subplot(grid[places[0] : places[-1] + 1, 0])
        beside.set_axis_off()
        beside.text(0, 0.5, group, rotation=90, ha="center", va="center", fontsize=8)
    for axes, regularizer in zip(panels[0], STRENGTHS, strict=True):
        axes.set_title(sweeps.REGULARIZERS[regularizer])
    _write_beside(panels[0, -1], 1.1, "largest\ndifference")
    for axes, label in zip(panels[-1], STRENGTHS.values(), strict=True):
        axes.set_xlabel(label)
    _legend(body, set(models["experiment"]))
    notes = [
        "Points: mean ± standard error over seeds, each network's layers averaged first. "
        f"{sweeps.BASELINE_NOTE} Right: the largest difference of the means where half of the seeds or more are left.",
        "Agreement: mean element similarity of pairs of two different measures.",
    ]
    style.footnote(figure, [*notes, *(sweeps.describe(name, models, models) for name in PROTOCOLS)])
    return figure


def quantities(models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame) -> list[Strip]:
    """All rows of the figure, from the top. The tables hold the networks to show, and no others."""
    rows = [Strip("sparsity", "", "black", models.rename(columns={"sparsity": "value"}))]
    for form in FORMS:
        values = _of_networks(sweeps.of_form(modularity, form), "q")
        rows.append(Strip(f"modularity {style.Q_STAR}", style.label(form), form.ink, values))
    agreement = agreement.assign(kind=kinds(agreement))
    for name in BLOCKS:
        values = _of_networks(agreement[agreement["kind"] == name], "element_similarity")
        rows.append(Strip("agreement", name, "black", values))
    return rows


def _of_networks(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table.groupby(RUN)[column].mean().rename("value").reset_index()


def summarize(values: pd.DataFrame, models: pd.DataFrame) -> pd.DataFrame:
    """Mean, sem and few (fewer than half of the seeds are left) by experiment, regularizer and strength."""
    groups = (
        sweeps.with_baseline(values, models).dropna(subset="value").groupby(["experiment", "regularizer", "strength"])
    )
    summary = groups["value"].agg(["mean", "sem"])
    return summary.assign(few=sweeps.few(groups["seed"].nunique(), models))


def largest_difference(summary: pd.DataFrame) -> str:
    """How much the means of the two protocols differ at most, and in which sweep: ".48, L2"; just "0" for none.

    Empty if they share no strength.
    """
    means = summary.loc[~summary["few"], "mean"].unstack("experiment").reindex(columns=list(PROTOCOLS))
    differences = means["base"].sub(means["early"]).abs().drop(UNTRAINED, errors="ignore").dropna()
    if differences.empty:
        return ""
    most, (regularizer, _) = hundredths(differences.max()), differences.idxmax()
    return most if most == "0" else f"{most}, {sweeps.REGULARIZERS[regularizer]}"


def _draw_row(panels: np.ndarray, row: Strip, models: pd.DataFrame) -> None:
    """Draw the panels of a row, with its label on the left and its largest difference right."""
    summary = summarize(row.values, models)
    for axes, regularizer in zip(panels, STRENGTHS, strict=True):
        sweeps.draw_bands(axes, row.values.loc[is_untrained(row.values), "value"])
        if regularizer != "dropout":
            sweeps.logarithmic(axes, "x")
        axes.minorticks_off()
        _draw_lines(axes, summary[summary.index.get_level_values("regularizer") == regularizer])
    size = style.MATH_SIZE if row.label.startswith("$") else 8
    panels[0].set_ylabel(row.label, rotation=0, ha="right", va="center", color=row.color, fontsize=size)
    _write_beside(panels[-1], 0.5, largest_difference(summary))
    for axes in panels[1:]:
        axes.tick_params(labelleft=False)


def _write_beside(axes: Axes, height: float, text: str) -> None:
    """Write right of axes, at a share of their height."""
    place = {"xycoords": "axes fraction", "textcoords": "offset points", "va": "center"}
    axes.annotate(text, (1, height), (4, 0), fontsize=7, **place)


def _draw_lines(axes: Axes, summary: pd.DataFrame) -> None:
    """The line of each protocol, and what lies between them."""
    means = summary["mean"].unstack("experiment")
    both = means.dropna()
    if set(PROTOCOLS) <= set(both):
        axes.fill_between(
            both.index.get_level_values("strength"),
            both["base"],
            both["early"],
            color=DIFFERENCE,
            linewidth=0,
            zorder=1,
        )
    for name, (_, look) in PROTOCOLS.items():
        if name in means:
            rows = summary.xs(name, level="experiment").droplevel("regularizer")
            axes.errorbar(rows.index, rows["mean"], rows["sem"], **LINE, **look, elinewidth=0.8, label=name)
            few = rows[rows["few"]]
            axes.plot(few.index, few["mean"], **LINE | look | HOLLOW)
    if summary.empty:
        style.say(axes, "no trained networks")


def _legend(figure: SubFigure, experiments: Collection[str]) -> None:
    """Name the lines, and say which the tables lack."""
    handles = [
        Line2D([], [], **LINE, **look, label=name if experiment in experiments else f"{experiment}: none in the tables")
        for experiment, (name, look) in PROTOCOLS.items()
    ]
    handles.append(Patch(color=DIFFERENCE, label="what the protocol decides"))
    handles.append(Patch(color=sweeps.SIGMA_GRAYS[0], label="untrained"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, columnspacing=1.5, handlelength=2.4)
