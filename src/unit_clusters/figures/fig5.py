"""Figure 5: do the eight measures find the same clusters, and does training make them agree?"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.pair_panels import (
    DIFFERENCES,
    SCORES,
    draw_matrix,
    draw_scale,
    is_blank,
    mean_scores,
    name_forms,
)

EXPERIMENTS = ("base", "wide", "deep")
"""Columns of the figure: Experiments 1 to 3."""

LABELS = {
    "element_similarity": "mean element similarity (1: both measures find the same clusters)",
    "element_similarity_alive": "mean element similarity of units alive under both measures (1: the same clusters)",
}

# Inches.
SIDE, GAP, LEFT = 1.9, 0.12, 0.85
BOTTOM_TRAINED, BOTTOM_DIFFERENCES = 4.82, 1.97


@rc_context(style.RC)
def draw(agreement: pd.DataFrame, models: pd.DataFrame, score: str = "element_similarity") -> Figure:
    """Draw Figure 5.

    Panels a-c are averages over layers, seeds, strengths and regularisers of the trained networks; d-f subtract the
    average of the untrained networks of the same architecture. An experiment that the tables lack leaves its panels
    empty but for a note. On the diagonal a measure meets itself: 1 by definition, 0 in the differences.

    Args:
        agreement: agreement.csv.
        models: models.csv, to know which networks to discard.
        score: the column to average, element_similarity or element_similarity_alive.

    Raises:
        ValueError: another score, or `agreement` holds a network that `models` does not.
    """
    if score not in LABELS:
        raise ValueError(f"Fig. 5 cannot show the score {score!r}; give one of {', '.join(LABELS)}")
    tables = {name: agreement[agreement["experiment"] == name] for name in EXPERIMENTS}
    kept = {name: style.keep_good(table, models) for name, table in tables.items()}
    trained, differences = {}, {}
    for name, rows in kept.items():
        untrained = rows["regularizer"] == "none"
        trained[name] = mean_scores(rows[~untrained], score, diagonal=1)
        differences[name] = trained[name] - mean_scores(rows[untrained], score, diagonal=1)
    figure = Figure(figsize=(style.WIDTH, 7.02))
    _draw_trained(figure, trained, LABELS[score])
    _draw_differences(figure, differences)
    notes = [style.describe(name, tables[name], kept[name]) for name in EXPERIMENTS]
    style.footnote(figure, [*notes, "On the diagonal each measure meets itself."])
    return figure


def _draw_trained(figure: Figure, means: Mapping[str, Float[np.ndarray, "forms forms"]], label: str) -> None:
    for column, (name, matrix) in enumerate(means.items()):
        axes = _panel(figure, column, BOTTOM_TRAINED, rf"$\bf{{{'abc'[column]}}}$   {name}, trained")
        name_forms(axes, rows=column == 0, columns=False)
        if is_blank(matrix):
            style.say(axes, f"no trained {name} networks")
        else:
            draw_matrix(axes, matrix, SCORES, 0, 1)
    draw_scale(_strip(figure, 0, 3, BOTTOM_TRAINED - 0.18), SCORES, (0, 0.25, 0.5, 0.75, 1), label)


def _draw_differences(figure: Figure, differences: Mapping[str, Float[np.ndarray, "forms forms"]]) -> None:
    reach = dict.fromkeys(("base", "wide"), _reach(differences["base"], differences["wide"]))
    reach["deep"] = _reach(differences["deep"])
    for column, (name, matrix) in enumerate(differences.items()):
        axes = _panel(figure, column, BOTTOM_DIFFERENCES, rf"$\bf{{{'def'[column]}}}$   {name}, trained − untrained")
        name_forms(axes, rows=column == 0, columns=True)
        if is_blank(matrix):
            style.say(axes, f"no trained and untrained {name} networks to compare")
        else:
            draw_matrix(axes, matrix, DIFFERENCES, -reach[name], reach[name])
    text = "trained − untrained (green: more agreement after training)"
    bottom = BOTTOM_DIFFERENCES - 0.85
    draw_scale(_strip(figure, 0, 2, bottom), DIFFERENCES, (-reach["base"], 0, reach["base"]), text)
    draw_scale(
        _strip(figure, 2, 1, bottom), DIFFERENCES, (-reach["deep"], 0, reach["deep"]), "the same, scale of panel f"
    )


def _reach(*differences: Float[np.ndarray, "forms forms"]) -> float:
    """The largest absolute difference, rounded up to a multiple of 0.05."""
    return max(0.05, np.ceil(20 * np.nanmax(np.abs(differences))) / 20)


def _panel(figure: Figure, column: int, bottom: float, title: str) -> Axes:
    axes = style.axes_at(figure, LEFT + column * (SIDE + GAP), bottom, SIDE, SIDE)
    axes.set_title(title, loc="left")
    return axes


def _strip(figure: Figure, column: int, columns: int, bottom: float) -> Axes:
    """Axes for a colour scale below some columns, a little shorter so that the end labels of two scales stay apart."""
    width = columns * (SIDE + GAP) - GAP
    return style.axes_at(figure, LEFT + column * (SIDE + GAP) + 0.15, bottom, width - 0.3, 0.08)
