"""What the training protocol decides: Experiment 1 trained at length, beside the same networks stopped early."""

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
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

# Inches.
WIDTH, HEIGHT, GAP, LEFT, BOTTOM = 1.58, 0.55, (0.1, 0.07), 1.32, 1.3
BREAK = 0.12
"""Further space between rows of different quantities."""


class Row(NamedTuple):
    """A row of panels."""

    group: str
    """What it shows; rows of a group have one scale."""
    label: str
    color: str
    values: pd.DataFrame
    """Columns RUN and value: a row a network, its layers averaged."""


@rc_context(style.RC)
def draw(models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame) -> Figure:
    """Draw a column of panels a regulariser and a row a quantity: sparsity, Q* of each form, agreement of the families.

    What lies between the two lines of a panel is shaded: it is what the protocol decides. An experiment that the tables
    lack has no line, and the legend says so.
    """
    models, modularity, agreement = (
        table[table["experiment"].isin(PROTOCOLS)] for table in (models, modularity, agreement)
    )
    kept, modularity, agreement = (keep_good(table, models) for table in (models, modularity, agreement))
    rows = quantities(kept, modularity, agreement)
    bottoms = _bottoms(rows)
    figure = Figure(figsize=(style.WIDTH, bottoms[0] + HEIGHT + 0.3))
    groups: dict[str, list[Axes]] = {}
    for row, bottom in zip(rows, bottoms, strict=True):
        groups.setdefault(row.group, []).extend(_draw_row(figure, row, bottom, models))
    for group, panels in groups.items():
        fit(panels, Quantity("value", group, least=0))
        middle = (panels[0].get_position().y1 + panels[-1].get_position().y0) / 2
        figure.text(0.1 / style.WIDTH, middle, group, rotation=90, va="center", fontsize=8)
    for axes, name in zip(figure.axes, sweeps.REGULARIZERS.values(), strict=False):
        axes.set_title(name)
    corner = (style.WIDTH - 0.04) / style.WIDTH, (bottoms[0] + HEIGHT + 0.07) / figure.get_figheight()
    figure.text(*corner, "largest\ndifference", ha="right", fontsize=7)
    for axes, label in zip(figure.axes[-len(STRENGTHS) :], STRENGTHS.values(), strict=True):
        axes.tick_params(labelbottom=True)
        axes.set_xlabel(label)
    _legend(figure, set(models["experiment"]))
    notes = [
        "Points: mean ± standard error over seeds, the layers of a network averaged first. "
        f"{sweeps.BASELINE} Right: the largest difference of the two means, where at least half of the seeds are left.",
        "Agreement: mean element similarity of pairs of two different measures.",
    ]
    style.footnote(figure, [*notes, *(sweeps.describe(name, models, models) for name in PROTOCOLS)])
    return figure


def quantities(models: pd.DataFrame, modularity: pd.DataFrame, agreement: pd.DataFrame) -> list[Row]:
    """All rows of the figure, from the top. The tables hold the networks to show, and no others."""
    rows = [Row("sparsity", "", "black", models.rename(columns={"sparsity": "value"}))]
    for form in FORMS:
        values = _of_networks(sweeps.of_form(modularity, form), "q")
        rows.append(Row(f"modularity {style.Q_STAR}", style.label(form), form.ink, values))
    agreement = agreement.assign(kind=kinds(agreement))
    for name in BLOCKS:
        values = _of_networks(agreement[agreement["kind"] == name], "element_similarity")
        rows.append(Row("agreement", name, "black", values))
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


def _bottoms(rows: Sequence[Row]) -> list[float]:
    """Height in inches of each row of panels, the last at BOTTOM, with space between groups."""
    below = [0.0]
    for upper, lower in pairwise(reversed(rows)):
        below.append(below[-1] + HEIGHT + GAP[1] + BREAK * (upper.group != lower.group))
    return [BOTTOM + height for height in reversed(below)]


def _draw_row(figure: Figure, row: Row, bottom: float, models: pd.DataFrame) -> list[Axes]:
    """Draw the panels of a row at a height in inches, with its label on the left and its largest difference right."""
    summary = summarize(row.values, models)
    above = figure.axes[-len(sweeps.REGULARIZERS) :] or [None] * len(sweeps.REGULARIZERS)
    for column, regularizer in enumerate(sweeps.REGULARIZERS):
        place = (LEFT + column * (WIDTH + GAP[0]), bottom, WIDTH, HEIGHT)
        axes = style.axes_at(figure, *place, sharex=above[column], sharey=figure.axes[-column] if column else None)
        sweeps.draw_bands(axes, row.values.loc[is_untrained(row.values), "value"])
        if regularizer != "dropout":
            sweeps.logarithmic(axes, "x")
        axes.tick_params(which="both", labelbottom=False, labelleft=column == 0)
        axes.minorticks_off()
        _draw_lines(axes, summary[summary.index.get_level_values("regularizer") == regularizer])
    width, height = figure.get_size_inches()
    middle = (bottom + HEIGHT / 2) / height
    right = LEFT + 3 * WIDTH + 2 * GAP[0]
    figure.text(
        (LEFT - 0.32) / width,
        middle,
        row.label,
        ha="right",
        va="center",
        color=row.color,
        fontsize=style.MATH_SIZE if row.label.startswith("$") else 8,
    )
    figure.text((right + 0.06) / width, middle, largest_difference(summary), va="center", fontsize=7)
    return figure.axes[-len(sweeps.REGULARIZERS) :]


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


def _legend(figure: Figure, experiments: Collection[str]) -> None:
    """Name the lines, and say which the tables lack."""
    handles = [
        Line2D([], [], **LINE, **look, label=name if experiment in experiments else f"{experiment}: none in the tables")
        for experiment, (name, look) in PROTOCOLS.items()
    ]
    handles.append(Patch(color=DIFFERENCE, label="what the protocol decides"))
    handles.append(Patch(color=sweeps.SIGMA_GREYS[0], label="untrained"))
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, (BOTTOM - 0.62) / figure.get_figheight())}
    figure.legend(handles=handles, **place, ncols=4, frameon=False, columnspacing=1.5, handlelength=2.4)
