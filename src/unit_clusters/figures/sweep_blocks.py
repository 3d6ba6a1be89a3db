"""Two blocks of the panels of Fig. 3, one on grey and one on white (Figs. 4, S6 to S8)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.figures import style
from unit_clusters.figures.sweep_panels import (
    HEADER,
    LEFT,
    POOLED,
    ROWS,
    Quantity,
    draw_panels,
    fit,
    legend,
)
from unit_clusters.similarity.measures import FORMS

GREY = "#ececec"
"""Behind a block. Its panels stay white, so that the grey bands of untrained networks show."""

# Inches.
BELOW = 0.5
"""From the edge of a block to its panels."""
HEIGHT, FOOT = BELOW + ROWS + HEADER + 0.22, 0.86


class Block(NamedTuple):
    """2 x 4 panels."""

    title: str
    modularity: pd.DataFrame
    """The rows to show, without discarded networks."""
    grey: bool


def draw_wide_and_deep(
    modularity: pd.DataFrame, models: pd.DataFrame, quantity: Quantity, *, same_scale: bool
) -> Figure:
    """Draw Experiment 2 on grey above Experiment 3, all layers together.

    Args:
        modularity: modularity.csv.
        models: models.csv, to know which networks to discard.
        quantity: what to show.
        same_scale: whether both experiments have the same vertical scale.

    Raises:
        ValueError: `modularity` holds a network that `models` does not.
    """
    tables = {name: modularity[modularity["experiment"] == name] for name in ("wide", "deep")}
    kept = {name: style.keep_good(table, models) for name, table in tables.items()}
    wide = Block("wide networks (Experiment 2)", kept["wide"], grey=True)
    deep = Block("deep networks (Experiment 3)", kept["deep"], grey=False)
    notes = [style.describe(name, tables[name], kept[name]) for name in tables]
    return _draw_blocks(wide, deep, models, quantity, [POOLED, *notes], same_scale)


def draw_layers(modularity: pd.DataFrame, models: pd.DataFrame, quantity: Quantity) -> Figure:
    """Draw the first hidden layer of Experiment 1 above the second, on grey.

    Both layers have the same scales. Args and Raises: as `draw_wide_and_deep`.
    """
    table = modularity[modularity["experiment"] == "base"]
    kept = style.keep_good(table, models)
    first = Block("base networks, first hidden layer", kept[kept["layer"] == 1], grey=False)
    second = Block("base networks, second hidden layer", kept[kept["layer"] == 2], grey=True)
    notes = [f"Points: mean ± standard error over seeds. {style.BASELINE}", style.describe("base", table, kept)]
    return _draw_blocks(first, second, models, quantity, notes, same_scale=True)


@rc_context(style.RC)
def _draw_blocks(
    upper: Block, lower: Block, models: pd.DataFrame, quantity: Quantity, notes: Sequence[str], same_scale: bool
) -> Figure:
    figure = Figure(figsize=(style.WIDTH, 2 * HEIGHT + FOOT))
    firsts = [
        _draw_block(figure, block, bottom, models, quantity)
        for block, bottom in ((upper, FOOT + HEIGHT), (lower, FOOT))
    ]
    for axes in [firsts] if same_scale else [[first] for first in firsts]:
        fit(axes, quantity)
    ends = np.array([axes.get_xlim() for axes in firsts])
    for axes in firsts:
        axes.set_xlim(ends.min(), ends.max())
    legend(figure, 0.55)
    style.footnote(figure, notes)
    return figure


def _draw_block(figure: Figure, block: Block, bottom: float, models: pd.DataFrame, quantity: Quantity) -> Axes:
    """Draw a block at a height in inches; return the first of its panels, which share their scales."""
    height = figure.get_figheight()
    if block.grey:
        figure.add_artist(Rectangle((0, bottom / height), 1, HEIGHT / height, color=GREY, linewidth=0, zorder=-1))
    top = (bottom + HEIGHT - 0.07) / height
    figure.text(0.06 / style.WIDTH, top, block.title, fontsize=9, weight="bold", va="top")
    return draw_panels(figure, LEFT, bottom + BELOW, block.modularity, models, quantity)[FORMS[0]]
