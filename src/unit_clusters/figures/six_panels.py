"""Six panels of agreement: three experiments, trained and minus untrained (Figs. 5 and S12)."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
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
    name_forms,
    reach,
    write_numbers,
)

# Inches.
SIDE, GAP, LEFT = 1.9, 0.12, 0.85
BOTTOM_TRAINED, BOTTOM_DIFFERENCES = 4.82, 1.97


class Means(NamedTuple):
    """The average scores of one experiment, each NaN where there is none."""

    trained: Float[np.ndarray, "forms forms"]
    untrained: Float[np.ndarray, "forms forms"]


@rc_context(style.RC)
def draw_six(means: Mapping[str, Means], ticks: Sequence[float], label: str, gain: str, notes: Sequence[str]) -> Figure:
    """Draw trained averages on top, and minus the untrained ones below, the last experiment on a scale of its own.

    Args:
        means: three experiments by name.
        ticks: of the colour scale of the trained averages, from its one end to the other.
        label: what that scale shows, and which way is better.
        gain: what a positive difference means.
        notes: for the foot of the figure.
    """
    figure = Figure(figsize=(style.WIDTH, 7.02))
    _draw_trained(figure, {name: mean.trained for name, mean in means.items()}, ticks, label)
    _draw_differences(figure, {name: mean.trained - mean.untrained for name, mean in means.items()}, gain)
    style.footnote(figure, notes)
    return figure


def _draw_trained(
    figure: Figure, means: Mapping[str, Float[np.ndarray, "forms forms"]], ticks: Sequence[float], label: str
) -> None:
    for column, (name, matrix) in enumerate(means.items()):
        axes = _panel(figure, column, BOTTOM_TRAINED, rf"$\bf{{{'abc'[column]}}}$   {name}, trained")
        name_forms(axes, rows=column == 0, columns=False)
        if is_blank(matrix):
            style.say(axes, f"no trained {name} networks")
        else:
            draw_matrix(axes, matrix, SCORES, ticks[0], ticks[-1])
            write_numbers(axes)
    draw_scale(_strip(figure, 0, 3, BOTTOM_TRAINED - 0.18), SCORES, ticks, label)


def _draw_differences(figure: Figure, differences: Mapping[str, Float[np.ndarray, "forms forms"]], gain: str) -> None:
    *shared, last = differences
    reaches = dict.fromkeys(shared, reach(*(differences[name] for name in shared))) | {last: reach(differences[last])}
    for column, (name, matrix) in enumerate(differences.items()):
        axes = _panel(figure, column, BOTTOM_DIFFERENCES, rf"$\bf{{{'def'[column]}}}$   {name}, trained − untrained")
        name_forms(axes, rows=column == 0, columns=True)
        if is_blank(matrix):
            style.say(axes, f"no trained and untrained {name} networks to compare")
        else:
            draw_matrix(axes, matrix, DIFFERENCES, -reaches[name], reaches[name])
            write_numbers(axes, signed=True)
    text = f"trained − untrained (green: {gain} after training)"
    for column, columns, name, label in ((0, 2, shared[0], text), (2, 1, last, "the same, scale of panel f")):
        strip = _strip(figure, column, columns, BOTTOM_DIFFERENCES - 0.85)
        draw_scale(strip, DIFFERENCES, (-reaches[name], 0, reaches[name]), label)


def _panel(figure: Figure, column: int, bottom: float, title: str) -> Axes:
    axes = style.axes_at(figure, LEFT + column * (SIDE + GAP), bottom, SIDE, SIDE)
    axes.set_title(title, loc="left")
    return axes


def _strip(figure: Figure, column: int, columns: int, bottom: float) -> Axes:
    """Axes for a colour scale below some columns, a little shorter so that the end labels of two scales stay apart."""
    width = columns * (SIDE + GAP) - GAP
    return style.axes_at(figure, LEFT + column * (SIDE + GAP) + 0.15, bottom, width - 0.3, 0.08)
