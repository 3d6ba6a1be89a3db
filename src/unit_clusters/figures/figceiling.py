"""How much of the disagreement between measures is the search's own? The noise ceiling of Fig. 5."""

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from unit_clusters.figures import style
from unit_clusters.figures.pair_panels import mean_scores
from unit_clusters.measures import FORMS

SCORE = "element_similarity"

OTHERS = {
    "ceiling": ("itself, another search", {"marker": "|", "markersize": 11, "markeredgewidth": 2}),
    "own": ("its normalized or unnormalized form", {"marker": "o", "markersize": 5}),
    "family": ("the other measure of its family", {"marker": "^", "markersize": 5}),
    "across": ("the other family", {"marker": "x", "markersize": 5, "markeredgewidth": 1.2}),
}
"""What a form is compared with: how to call and draw it."""

# Inches.
WIDTH, HEIGHT, GAP, LEFT, BOTTOM = 1.86, 1.9, (0.25, 0.4), 0.62, 1.6


@rc_context(style.RC)
def draw(ceiling: pd.DataFrame, agreement: pd.DataFrame, models: pd.DataFrame) -> Figure:
    """Draw for each form its agreement with itself, its normalised form, its family and the other family.

    Panels a-c are trained networks, d-f untrained ones. Where two searches on one matrix agree no more than two
    measures do, the measures may well agree fully.

    Args:
        ceiling: ceiling.csv.
        agreement: agreement.csv.
        models: models.csv, to know which networks to discard.

    Raises:
        ValueError: a table holds a network that `models` does not.
    """
    searches, pairs = (style.keep_good(table, models) for table in (ceiling, agreement))
    figure = Figure(figsize=(style.WIDTH, BOTTOM + 2 * (HEIGHT + GAP[1]) - 0.1))
    for row, word in enumerate(("trained", "untrained")):
        for column, name in enumerate(style.EXPERIMENTS):
            place = LEFT + column * (WIDTH + GAP[0]), BOTTOM + (1 - row) * (HEIGHT + GAP[1]), WIDTH, HEIGHT
            axes = style.axes_at(figure, *place)
            axes.set_title(rf"$\bf{{{'abcdef'[3 * row + column]}}}$   {name}, {word}", loc="left")
            parts = (
                part[(part["experiment"] == name) & ((part["regularizer"] == "none") == (word == "untrained"))]
                for part in (searches, pairs)
            )
            _draw_forms(axes, *parts)
            axes.tick_params(labelleft=column == 0, labelbottom=row == 1)
    _label(figure)
    missing = ["No noise ceiling in the tables."] if searches.empty else []
    style.footnote(figure, [*missing, *style.describe_each(agreement, pairs)])
    return figure


def compare(searches: pd.DataFrame, pairs: pd.DataFrame) -> dict[str, Float[np.ndarray, " forms"]]:
    """Mean element similarity of each form with each of OTHERS, in the order of FORMS; NaN where there is none."""
    means = mean_scores(pairs, SCORE, diagonal=np.nan)
    scores = {"ceiling": np.array([style.of_form(searches, form)[SCORE].mean() for form in FORMS])}
    same = np.array([[a.measure == b.measure for b in FORMS] for a in FORMS])
    family = np.array([[a.upstream == b.upstream for b in FORMS] for a in FORMS])
    for name, chosen in (("own", same), ("family", family & ~same), ("across", ~family)):
        scores[name] = pd.DataFrame(np.where(chosen, means, np.nan)).mean(axis=1).to_numpy()
    return scores


def _draw_forms(axes: Axes, searches: pd.DataFrame, pairs: pd.DataFrame) -> None:
    places = range(len(FORMS))
    axes.set_yticks(places, [style.label(form) for form in FORMS], fontsize=style.MATH_SIZE)
    axes.set(xlim=(0, 1.02), ylim=(len(FORMS) - 0.5, -0.5))
    for tick, form in zip(axes.get_yticklabels(), FORMS, strict=True):
        tick.set_color(style.COLORS[form])
    if pairs.empty:
        style.say(axes, "no networks")
    for name, scores in compare(searches, pairs).items():
        for place, score, form in zip(places, scores, FORMS, strict=True):
            axes.plot(score, place, linestyle="", color=style.COLORS[form], **OTHERS[name][1])
    axes.hlines(places, 0, 1, color="0.88", linewidth=0.6, zorder=0)


def _label(figure: Figure) -> None:
    height = figure.get_figheight()
    middle = (LEFT + 1.5 * WIDTH + GAP[0]) / style.WIDTH
    text = "mean element similarity with ... (1: the same clusters)"
    figure.text(middle, (BOTTOM - 0.4) / height, text, ha="center", fontsize=8)
    handles = [Line2D([], [], linestyle="", color="0.25", **look, label=name) for name, look in OTHERS.values()]
    place = {"loc": "lower center", "bbox_to_anchor": (0.5, 0.62 / height)}
    figure.legend(handles=handles, **place, ncols=4, frameon=False, handletextpad=0.1, columnspacing=1.2)
