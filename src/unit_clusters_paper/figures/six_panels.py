"""Panels of agreement, six for three experiments: trained and minus untrained (Figs. 5 and S12)."""

from collections.abc import Mapping, Sequence
from string import ascii_letters
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORES, draw_matrix, draw_scale, name_forms, write_numbers
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.pair_panels import DIFFERENCES, is_blank, reach

COLUMNS = 3
"""Experiments beside each other; further ones follow below."""

# Inches.
SIDE, GAP, LEFT = 1.9, 0.12, 0.85
BOTTOM_TRAINED, BOTTOM_DIFFERENCES, TOP = 4.82, 1.97, 7.02
BLOCK = TOP - 0.77
"""Height of COLUMNS experiments; what is left is for the foot."""


class Means(NamedTuple):
    """The average scores of one experiment, each NaN where there is none."""

    trained: Float[np.ndarray, "forms forms"]
    untrained: Float[np.ndarray, "forms forms"]


@rc_context(style.RC)
def draw_six(means: Mapping[str, Means], ticks: Sequence[float], label: str, gain: str, notes: Sequence[str]) -> Figure:
    """Draw trained averages on top, and minus the untrained ones below, every third experiment on a scale of its own.

    Args:
        means: by the name of the experiment.
        ticks: of the colour scale of the trained averages, from its one end to the other.
        label: what that scale shows, and which way is better.
        gain: what a positive difference means.
        notes: for the foot of the figure.
    """
    rows = [list(means)[first : first + COLUMNS] for first in range(0, len(means), COLUMNS)]
    further = sweeps.further(means)
    figure = Figure(figsize=(style.WIDTH, TOP + further + (len(rows) - 1) * BLOCK))
    for number, names in enumerate(rows):
        foot, letters = further + (len(rows) - 1 - number) * BLOCK, ascii_letters[2 * COLUMNS * number :]
        trained = {name: means[name].trained for name in names}
        differences = {name: means[name].trained - means[name].untrained for name in names}
        _draw_trained(figure, foot + BOTTOM_TRAINED, letters, trained, ticks, label)
        _draw_differences(figure, foot + BOTTOM_DIFFERENCES, letters[len(names) :], differences, gain)
    style.footnote(figure, notes)
    return figure


def _draw_trained(
    figure: Figure,
    bottom: float,
    letters: str,
    means: Mapping[str, Float[np.ndarray, "forms forms"]],
    ticks: Sequence[float],
    label: str,
) -> None:
    for column, (name, matrix) in enumerate(means.items()):
        axes = _panel(figure, column, bottom, rf"$\bf{{{letters[column]}}}$   {name}, trained")
        name_forms(axes, rows=column == 0, columns=False)
        if is_blank(matrix):
            style.say(axes, f"no trained {name} networks")
        else:
            draw_matrix(axes, matrix, SCORES, ticks[0], ticks[-1])
            write_numbers(axes)
    draw_scale(_strip(figure, 0, COLUMNS, bottom - 0.18), SCORES, ticks, label)


def _draw_differences(
    figure: Figure, bottom: float, letters: str, differences: Mapping[str, Float[np.ndarray, "forms forms"]], gain: str
) -> None:
    names = list(differences)
    scales = {f"trained − untrained (green: {gain} after training)": names[: COLUMNS - 1]}
    if len(names) == COLUMNS:
        scales[f"the same, scale of panel {letters[COLUMNS - 1]}"] = names[COLUMNS - 1 :]
    for label, shared in scales.items():
        end, first = reach(*(differences[name] for name in shared)), names.index(shared[0])
        for column, name in enumerate(shared, start=first):
            axes = _panel(figure, column, bottom, rf"$\bf{{{letters[column]}}}$   {name}, trained − untrained")
            name_forms(axes, rows=column == 0, columns=True)
            if is_blank(differences[name]):
                style.say(axes, f"no trained and untrained {name} networks to compare")
            else:
                draw_matrix(axes, differences[name], DIFFERENCES, -end, end)
                write_numbers(axes, signed=True)
        strip = _strip(figure, first, COLUMNS - 1 if first == 0 else 1, bottom - 0.85)
        draw_scale(strip, DIFFERENCES, (-end, 0, end), label)


def _panel(figure: Figure, column: int, bottom: float, title: str) -> Axes:
    axes = style.axes_at(figure, LEFT + column * (SIDE + GAP), bottom, SIDE, SIDE)
    axes.set_title(title, loc="left")
    return axes


def _strip(figure: Figure, column: int, columns: int, bottom: float) -> Axes:
    """Axes for a colour scale below some columns, a little shorter so that the end labels of two scales stay apart."""
    width = columns * (SIDE + GAP) - GAP
    return style.axes_at(figure, LEFT + column * (SIDE + GAP) + 0.15, bottom, width - 0.3, 0.08)
