"""The main claims at a glance: each number with its interval, beside the limit that it must pass."""

import textwrap

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters_paper.claims import scorecard
from unit_clusters_paper.claims.paper import CLAIMS, MAIN
from unit_clusters_paper.claims.rules import Claim, Rule

LOOKS = {
    scorecard.HOLDS: ("✓", "#1b7837"),
    scorecard.IN_PART: ("✓", "#8a6500"),
    scorecard.FAILS: ("✗", "#b2182b"),
    scorecard.MORE_SEEDS: ("?", "#4575b4"),
    scorecard.ON_THE_WORD: ("?", "#4575b4"),
    scorecard.NOT_TESTABLE: ("–", "0.45"),
}
"""Sign and color of each verdict."""

NOTE = (
    "Dots and bars: a number of the claim and its 95 % interval, on a scale of its own, with the limit as the line. "
    "✓ holds (brown: in part), ✗ fails, ? needs more seeds or depends on the word, – not testable."
)

WORDS, NUMBERS, END = 52, 26, 1.12
"""Characters in a line of a claim, and of its number; where a bar that has no end leaves the panel."""


@rc_context(style.RC)
def draw(claims: pd.DataFrame) -> Figure:
    """Draw a line for each of the main claims, from claims.csv."""
    rows = claims.set_index("id")
    figure = Figure(figsize=(style.WIDTH, 0.9 + 0.42 * len(MAIN)))
    words, told, numbers, marks = figure.subplots(1, 4, sharey=True, width_ratios=(2.9, 1.5, 1.4, 2.6))
    for axes in (words, told, numbers, marks):
        axes.spines[:].set_visible(False)
        axes.set(xticks=[], yticks=[])
    words.set(ylim=(len(MAIN) - 0.5, -0.5), xlim=(0, 1))
    numbers.set_xlim(-1.2, 1.2)
    numbers.axvspan(-1.2, 0, color="0.93", linewidth=0)
    numbers.axvline(0, color="0.3", linewidth=0.8)
    heads = ["verdict", *(name.replace(" ", "\n") for name in scorecard.MARKS.values())]
    marks.set_xlim(-0.6, len(heads) - 0.4)
    for axes, x, head in [
        (words, 0, "the paper"),
        (told, 0, "we find"),
        (numbers, -0.6, "fails"),
        (numbers, 0.6, "holds"),
    ]:
        axes.text(x, -0.65, head, ha="left" if x == 0 else "center", va="bottom", weight="bold")
    for x, head in enumerate(heads):
        marks.text(x, -0.65, head, ha="center", va="bottom", fontsize=style.SMALL, weight="bold" if x == 0 else None)
    for place, (id, (suffix, said)) in enumerate(MAIN.items()):
        claim, members = CLAIMS[id], rows[[one.partition("/")[0] == id for one in rows.index]]
        shown = claim.row(suffix)
        row = members.loc[claim.row_id(shown)]
        words.text(0, place, _wrapped(said, WORDS), va="center", fontsize=style.SMALL)
        told.text(0, place, _told(row, shown.rule), va="center", fontsize=style.SMALL)
        _draw_number(numbers, place, row, shown.rule)
        _draw_marks(marks, place, claim, members)
    style.footnote(figure, [NOTE])
    return figure


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(text, width).replace("Q*", style.Q_STAR)


def _told(row: pd.Series, rule: Rule) -> str:
    if np.isnan(row["value"]):
        return "not testable\non this run"
    number = _wrapped(f"{row['value']:.2g} {row['unit']}", NUMBERS).replace("in Q", "in $Q$")
    return f"{number}\n(limit: {rule.nearest(row['value']):g})"


def _draw_number(axes: Axes, place: int, row: pd.Series, rule: Rule) -> None:
    if np.isnan(row["value"]):
        return
    limit = rule.nearest(row["value"])
    sign = 1 if limit == rule.low else -1
    value, *ends = sign * (row[["value", "ci_low", "ci_high"]].astype(float) - limit)
    scale = max((abs(one) for one in (value, *ends) if np.isfinite(one)), default=0) or 1.0
    low, high = np.clip(np.sort(ends) / scale, -END, END)
    color = LOOKS[row["verdict"]][1]
    axes.plot((low, high), (place, place), color=color, linewidth=2, solid_capstyle="butt")
    axes.plot(np.clip(value / scale, -END, END), place, "o", markersize=4.5, color=color)


def _draw_marks(axes: Axes, place: int, claim: Claim, rows: pd.DataFrame) -> None:
    for number, column in enumerate(["verdict", *(f"{mark}_verdict" for mark in scorecard.MARKS)]):
        if verdict := scorecard.verdict_on(claim, rows, column):
            sign, color = LOOKS[verdict]
            size, weight = (11, "bold") if column == "verdict" else (9, "normal")
            axes.text(number, place, sign, ha="center", va="center", fontsize=size, weight=weight, color=color)
