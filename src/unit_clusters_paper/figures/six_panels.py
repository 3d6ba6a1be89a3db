"""Panels of agreement, six for three experiments: trained and minus untrained (Figs. 5 and S12)."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from string import ascii_letters
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from matplotlib.figure import Figure, SubFigure

from unit_clusters.plots import style
from unit_clusters.plots.agreement import SCORE_COLORS, draw_matrix, draw_scale, name_forms, write_numbers
from unit_clusters_paper.figures.pair_panels import DIFFERENCE_COLORS, is_blank, scale_end

COLUMNS = 3
"""Experiments beside each other; further ones follow below."""


class Means(NamedTuple):
    """The average scores of one experiment, each NaN where there is none."""

    trained: Float[np.ndarray, "forms forms"]
    untrained: Float[np.ndarray, "forms forms"]


@rc_context(style.RC)
def draw_six(means: Mapping[str, Means], ticks: Sequence[float], label: str, gain: str, notes: Sequence[str]) -> Figure:
    """Draw trained averages on top, and minus the untrained ones below, every third experiment on a scale of its own.

    Args:
        means: by the name of the experiment.
        ticks: of the color scale of the trained averages, from its one end to the other.
        label: what that scale shows, and which way is better.
        gain: what a positive difference means.
        notes: for the foot of the figure.
    """
    rows = [list(means)[first : first + COLUMNS] for first in range(0, len(means), COLUMNS)]
    figure = Figure(figsize=(style.WIDTH, 0.55 + 6.1 * len(rows)))
    blocks = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    for number, (block, names) in enumerate(zip(blocks, rows, strict=True)):
        letters = ascii_letters[2 * COLUMNS * number :]
        _draw_block(block, letters, {name: means[name] for name in names}, ticks, label, gain)
    style.footnote(figure, notes)
    return figure


def _draw_block(
    block: SubFigure, letters: str, means: Mapping[str, Means], ticks: Sequence[float], label: str, gain: str
) -> None:
    panels = block.subplots(2, COLUMNS)
    for unused in panels[:, len(means) :].flat:
        unused.set_axis_off()
    upper, lower = panels
    differences = [mean.trained - mean.untrained for mean in means.values()]
    ends = [scale_end(*shared or differences) for shared in (differences[: COLUMNS - 1], differences[COLUMNS - 1 :])]
    ends = [ends[0]] * (COLUMNS - 1) + ends[1:]
    for column, (name, mean) in enumerate(means.items()):
        upper[column].set_title(rf"$\bf{{{letters[column]}}}$   {name}, trained", loc="left")
        lower[column].set_title(rf"$\bf{{{letters[len(means) + column]}}}$   {name}, trained − untrained", loc="left")
        for axes in (upper[column], lower[column]):
            name_forms(axes, rows=column == 0, columns=axes is lower[column])
        _draw_panel(upper[column], mean.trained, SCORE_COLORS, ticks[0], ticks[-1], f"no trained {name} networks")
        note = f"no trained and untrained {name} networks to compare"
        _draw_panel(lower[column], differences[column], DIFFERENCE_COLORS, -ends[column], ends[column], note)
    draw_scale(upper[None], SCORE_COLORS, ticks, label, "bottom")
    label = f"trained − untrained (green: {gain} after training)"
    for end, shared in groupby(range(COLUMNS), ends.__getitem__):
        draw_scale(lower[None, list(shared)], DIFFERENCE_COLORS, (-end, 0, end), label, "bottom")
        label = f"the same, panel {letters[2 * len(means) - 1]}"


def _draw_panel(
    axes: Axes, matrix: Float[np.ndarray, "forms forms"], cmap: Colormap, low: float, high: float, note: str
) -> None:
    """Draw a matrix and its numbers; if it is blank, a note."""
    if is_blank(matrix):
        style.say(axes, note)
    else:
        draw_matrix(axes, matrix, cmap, low, high)
        write_numbers(axes)
