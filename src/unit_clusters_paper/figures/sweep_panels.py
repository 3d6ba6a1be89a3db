"""Modularity or number of clusters against percent regularization, eight panels (Figs. 3, 4, S6 to S8)."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import FigureBase, SubFigure
from matplotlib.legend_handler import HandlerTuple
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FAMILIES, FORMS, MEASURES, RECORDS, Form
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.results.selection import is_untrained

FULL_RANGE = {"l2": (1e-5, 1e-1), "l1": (1e-5, 1e-2)}
"""The strengths that count as 0 % and 100 % (caption of Fig. 3); dropout's percentage is its probability."""

X_LABEL = "percent regularization (log-spaced for L2 from 1e-5 to 1e-1 and L1 from 1e-5 to 1e-2; dropout: probability)"

POOLED = (
    "Points: means over seeds and layers. Thin bars: standard error over both, as in the paper; thick bars: over "
    f"seeds, each network's layers averaged first. {sweeps.BASELINE_NOTE}"
)

HOLLOW = {"linestyle": "", "markerfacecolor": "white", "markeredgewidth": 0.8, "zorder": 2.5}
"""Looks of a point that stands for fewer than half of its seeds."""


class Quantity(NamedTuple):
    """A column of modularity.csv, what to call it beside an axis, and the least value that it can have."""

    column: str
    label: str
    least: float


MODULARITY = Quantity("q", f"modularity {style.Q_STAR}", 0)
QUANTITIES = {one.column: one for one in (MODULARITY, Quantity("num_clusters", "number of clusters", 1))}

SIGNED = -np.inf
"""The least value of what may be below 0."""


def percent_regularization(regularizer: str, strength: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The x of Fig. 3: the probability for dropout, the place on a logarithmic scale for L1 and L2; 0 to 100.

    Strengths beyond the paper's range (`FULL_RANGE`) come out below 0 or above 100.

    Raises:
        ValueError: an L1 or L2 strength is not above zero, and so has no place on that scale.
    """
    strength = np.asarray(strength, dtype=np.float64)
    if regularizer == "dropout":
        return 100 * strength
    if not (strength > 0).all():
        raise ValueError(f"{regularizer}: strength {strength.min()} has no place on a logarithmic scale; use > 0")
    low, high = FULL_RANGE[regularizer]
    return 100 * np.log(strength / low) / np.log(high / low)


def summarize(modularity: pd.DataFrame, models: pd.DataFrame, column: str = MODULARITY.column) -> pd.DataFrame:
    """Mean and standard error of a column over seeds and layers together, at each strength of each form.

    Args:
        modularity: rows of modularity.csv, without discarded networks; NaN scores are ignored.
        models: models.csv, to know how many seeds there were.
        column: the column to summarize.

    Returns:
        A table with columns experiment, measure, normalized, regularizer, strength, mean, sem (of a single score: NaN),
        seed_sem (standard error over seeds, the layers of a network averaged first; NaN if there is but one layer), few
        (fewer than half of the seeds are left) and percent. Dropout starts at the baseline, `sweeps.with_baseline`.
        Trained networks only.
    """
    scores = sweeps.with_baseline(modularity[~is_untrained(modularity)], models).dropna(subset=column)
    of_form = scores.groupby(["experiment", *sweeps.SETTING])
    summary = of_form[column].agg(["mean", "sem"])
    of_seed = scores.groupby(["experiment", *sweeps.SETTING, "seed"])[column].mean()
    several = scores["layer"].nunique() > 1
    summary["seed_sem"] = of_seed.groupby(["experiment", *sweeps.SETTING]).sem() if several else np.nan
    summary["few"] = sweeps.few(of_form["seed"].nunique(), models)
    summary = summary.reset_index()
    summary["percent"] = np.nan
    for regularizer, rows in summary.groupby("regularizer"):
        summary.loc[rows.index, "percent"] = percent_regularization(regularizer, rows["strength"].to_numpy())
    return summary


def draw_panels(
    figure: FigureBase, modularity: pd.DataFrame, models: pd.DataFrame, quantity: Quantity = MODULARITY
) -> dict[Form, Axes]:
    """Draw a panel a form.

    Columns are the measures, the lower row is normalized; all panels share both axes, and `fit` sets their ends.

    Args:
        figure: that has nothing else in it.
        modularity: rows of one experiment, without discarded networks.
        models: models.csv.
        quantity: what to show.
    """
    panels = empty_panels(figure, quantity)
    summary = summarize(modularity, models, quantity.column)
    untrained = modularity[is_untrained(modularity)]
    for form, axes in panels.items():
        sweeps.draw_bands(axes, sweeps.of_form(untrained, form)[quantity.column])
        _draw_sweeps(axes, form, sweeps.of_form(summary, form))
    percents = [0, 100, *summary["percent"]]
    panels[FORMS[0]].set_xticks((0, 25, 50, 75, 100))
    panels[FORMS[0]].set(xlim=(min(percents) - 4, max(percents) + 4))
    figure.supxlabel(X_LABEL)
    if summary.empty:
        for axes in panels.values():
            style.say(axes, "no trained networks")
    return panels


def empty_panels(figure: FigureBase, quantity: Quantity) -> dict[Form, Axes]:
    """The panels of `draw_panels`, named but empty.

    Names stand above the panels and to the right, where the links of Fig. 3 do not pass.
    """
    heads = [RECORDS[measure].family for measure in MEASURES]
    rows = [[str(Form(measure, normalized)) for measure in MEASURES] for normalized in (False, True)]
    axes = figure.subplot_mosaic([heads, *rows], height_ratios=(0.01, 1, 1))
    for family in FAMILIES:
        axes[family].set_axis_off()
        axes[family].set_title(family, weight="bold", fontsize=7.5, pad=0)
    panels = {form: axes[str(form)] for form in FORMS}
    first, *others = panels.values()
    for panel in others:
        panel.sharex(first)
        panel.sharey(first)
    for form, panel in panels.items():
        panel.label_outer()
        panel.set_title(style.label(form), loc="right", pad=2, fontsize=style.MATH_SIZE, color=form.ink)
        if form.measure == MEASURES[0]:
            panel.set_ylabel(f"{quantity.label}\nof {'normalized' if form.normalized else 'unnormalized'} $S$")
        if not form.normalized:
            outside = {"xycoords": "axes fraction", "textcoords": "offset points", "ha": "right"}
            words = panel.annotate(RECORDS[form.measure].words, (1, 1), (8, 15), fontsize=7, color=form.ink, **outside)
            words.set_in_layout(form.measure == MEASURES[-1])  # all others reach into the gap before the next panel
    return panels


def fit(panels: Sequence[Axes], quantity: Quantity) -> None:
    """Give axes one vertical scale that shows all that is drawn in them, with room for points at its lower end.

    It is logarithmic where a quantity that cannot vanish spans more than a factor of ten.
    """
    top = max(axes.get_ylim()[1] for axes in panels)
    logarithmic = quantity.least > 0 and top > 10 * quantity.least
    for axes in panels:
        if logarithmic:
            sweeps.logarithmic(axes, "y")
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.set_ylim(0.85 * quantity.least, top)
        else:
            axes.locator_params(axis="y", nbins=6)  # not as many as fit, which changes when room is made for them
            axes.set_ylim(min(axes.get_ylim()[0] for axes in panels) if quantity.least == SIGNED else -0.05 * top, top)


def _draw_sweeps(axes: Axes, form: Form, summary: pd.DataFrame) -> None:
    for regularizer in sweeps.REGULARIZERS:
        rows = summary[summary["regularizer"] == regularizer].sort_values("percent")
        if not rows.empty:
            draw_means(axes, form, regularizer, rows["percent"], rows)


def draw_means(axes: Axes, form: Form, regularizer: str, x: Iterable[float], summary: pd.DataFrame) -> None:
    """A regularizer's line in the color of the form.

    Args:
        x: where its points stand.
        summary: of each point a row with columns mean, sem, seed_sem and few, as from `summarize`.
    """
    options = {**look(regularizer), "color": form.color}
    axes.errorbar(x, summary["mean"], summary["sem"], **options, elinewidth=0.8, label=regularizer)
    ends = (summary["mean"] + sign * summary["seed_sem"] for sign in (-1, 1))
    axes.vlines(x, *ends, color=form.color, linewidth=1.8)
    few = summary["few"].to_numpy()
    if few.any():
        axes.plot(np.asarray(x)[few], summary["mean"][few], **options | HOLLOW)


def look(regularizer: str) -> dict[str, str | float]:
    """Line and marker of a regularizer, as keyword arguments of matplotlib."""
    size = 5.5 if regularizer == "dropout" else 3.5  # a star fills less of its size
    line = {"linestyle": sweeps.LINES[regularizer], "linewidth": 0.9}
    return {**line, "marker": sweeps.MARKERS[regularizer], "markersize": size, "markeredgewidth": 0}


def legend(figure: SubFigure) -> None:
    """Say below all panels, in one line, what markers and gray bands are."""
    entries = {
        word: Line2D([], [], color="0.25", **look(regularizer)) for regularizer, word in sweeps.REGULARIZERS.items()
    }
    if any(line.get_markerfacecolor() == "white" for axes in figure.get_figure(root=True).axes for line in axes.lines):
        entries["hollow: fewer than half of the seeds left"] = Line2D([], [], color="0.25", **look("l2") | HOLLOW)
    entries["untrained, mean ± 1, 2, 3 σ"] = tuple(Patch(color=gray) for gray in sweeps.SIGMA_GRAYS)
    figure.legend(
        entries.values(),
        entries,
        handler_map={tuple: HandlerTuple(ndivide=None, pad=0)},
        loc="outside lower center",
        ncols=5,
        columnspacing=1.5,
        handlelength=2.4,
    )
