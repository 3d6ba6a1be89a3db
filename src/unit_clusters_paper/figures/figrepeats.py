"""Is agreement between measures low because the search is? Two searches of one matrix, beside searches of two."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.plots import style
from unit_clusters.plots.agreement import mean_scores
from unit_clusters.similarity.measures import FAMILIES, FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.pair_panels import KINDS
from unit_clusters_paper.results.selection import experiments, is_untrained, keep_good

SEARCHES = {"element_similarity": "single searches", "element_similarity_best": "best partitions"}
"""Columns of both tables, and what is compared there."""

OTHERS = {
    "repeat": ("itself, searched again", {"marker": "|", "markersize": 9, "markeredgewidth": 2}),
    "own": ("its normalized or unnormalized form", {"marker": "o", "markersize": 4.5}),
    "family": ("the other measure of its family", {"marker": "^", "markersize": 4.5}),
    "across": ("the other family", {"marker": "x", "markersize": 4.5, "markeredgewidth": 1.2}),
}
"""What a form is compared with: how to call and draw it."""

MEMBERS = {"own": ["own"], "family": list(FAMILIES), "across": ["across"]}
"""The kinds of pairs that each of OTHERS but the first averages over."""


@rc_context(style.RC)
def draw(repeats: pd.DataFrame, agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw for each form its agreement with itself, its normalized form, its family and the other family.

    Single searches are those of the paper, and another of the same kind with a random stream of its own. Best
    partitions are the best known of each matrix, and those of two disjoint halves of its restarts.
    """
    names, kept = experiments(models), [keep_good(table, models) for table in (repeats, agreement)]
    figure = Figure(figsize=(style.WIDTH, 8.6))
    body = figure.subfigures()
    part = body.subfigures()
    searched = list(product(("trained", "untrained"), SEARCHES))
    panels = part.subplots(len(searched), len(names), sharex=True, sharey=True, squeeze=False)
    counts = []
    for row, (word, score) in zip(panels, searched, strict=True):
        found = []
        for axes, name in zip(row, names, strict=True):
            parts = (
                table[(table["experiment"] == name) & (is_untrained(table) == (word == "untrained"))] for table in kept
            )
            found.append(agreement_with(*parts, score))
            _draw_forms(axes, found[-1], score)
        what = f"{word}, {SEARCHES[score]}"
        row[0].set_ylabel(what, fontsize=7.5)
        counts.append(f"{what}: {count_beyond(pd.concat(found))}")
    for axes, name in zip(panels[0], names, strict=True):
        axes.set_title(name)
    part.supxlabel("mean element similarity with ... (1: the same clusters)")
    handles = [Line2D([], [], linestyle="", color="0.25", **look, label=name) for name, look in OTHERS.values()]
    body.legend(handles=handles, loc="outside lower center", ncols=4, handletextpad=0.1, columnspacing=1.2)
    beyond = "Rows in which other form / family / other family lie right of the bar: " + "; ".join(counts) + "."
    style.footnote(figure, [beyond, *(sweeps.describe(name, agreement, models) for name in names)])
    return figure


def agreement_with(searches: pd.DataFrame, pairs: pd.DataFrame, score: str) -> pd.DataFrame:
    """The mean score of each form with each of OTHERS, a row a form and a column each; NaN where there is none.

    Args:
        searches: rows of repeats.csv.
        pairs: rows of agreement.csv.
        score: a column of both; where they lack it, all is NaN.
    """
    searches, pairs = (part if score in part else part.assign(**{score: np.nan}) for part in (searches, pairs))
    means = mean_scores(pairs, score, diagonal=np.nan)
    scores = {"repeat": [sweeps.of_form(searches, form)[score].mean() for form in FORMS]}
    for name, members in MEMBERS.items():
        scores[name] = pd.DataFrame(np.where(np.isin(KINDS, members), means, np.nan)).mean(axis=1)
    return pd.DataFrame(scores)


def count_beyond(scores: pd.DataFrame) -> str:
    """In how many rows each kind of pair agrees more than two searches of one matrix: "3 / 0 / 0 of 24"."""
    known = scores.dropna()
    if known.empty:
        return "none searched again"
    return " / ".join(str((known[name] > known["repeat"]).sum()) for name in MEMBERS) + f" of {len(known)}"


def _draw_forms(axes: Axes, scores: pd.DataFrame, score: str) -> None:
    places = range(len(FORMS))
    axes.set_yticks(places, map(style.label, FORMS), fontsize=style.MATH_SIZE)
    axes.set(xlim=(-0.04, 1.04), ylim=(len(FORMS) - 0.5, -0.5))
    for tick, form in zip(axes.yaxis.get_major_ticks(), FORMS, strict=True):
        tick.label1.set_color(form.ink)
    if scores.isna().all(axis=None):
        style.say(axes, f"no networks with {score}")
        return
    axes.hlines(places, 0, 1, color="0.88", linewidth=0.6, zorder=0)
    for name, (_, look) in OTHERS.items():
        for place, form in zip(places, FORMS, strict=True):
            axes.plot(scores[name][place], place, linestyle="", color=form.color, **look)
