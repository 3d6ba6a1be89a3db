"""Two blocks of the panels of Fig. 3, one on grey and one on white (Figs. 4, S6 to S8)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.figures import style
from unit_clusters.figures.sweep_panels import LEFT, Quantity, draw_panels, legend
from unit_clusters.measures import FORMS

GREY = "#e4e4e4"
"""Behind a block. Its panels stay white, so that the grey bands of untrained networks show."""

# Inches.
HEIGHT, FOOT = 3.65, 0.8


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
    notes.insert(0, "Points: mean ± standard error over seeds and layers.")
    return _draw_blocks(wide, deep, quantity, notes, same_scale)


def draw_layers(modularity: pd.DataFrame, models: pd.DataFrame, quantity: Quantity) -> Figure:
    """Draw the first hidden layer of Experiment 1 above the second, on grey.

    Both layers have the same scales. Args and Raises: as `draw_wide_and_deep`.
    """
    table = modularity[modularity["experiment"] == "base"]
    kept = style.keep_good(table, models)
    first = Block("base networks, first hidden layer", kept[kept["layer"] == 1], grey=False)
    second = Block("base networks, second hidden layer", kept[kept["layer"] == 2], grey=True)
    notes = ["Points: mean ± standard error over seeds.", style.describe("base", table, kept)]
    return _draw_blocks(first, second, quantity, notes, same_scale=True)


@rc_context(style.RC)
def _draw_blocks(upper: Block, lower: Block, quantity: Quantity, notes: Sequence[str], same_scale: bool) -> Figure:
    height = 2 * HEIGHT + FOOT
    figure = Figure(figsize=(style.WIDTH, height))
    firsts = []
    for block, bottom in ((upper, FOOT + HEIGHT), (lower, FOOT)):
        if block.grey:
            card = Rectangle((0, bottom / height), 1, HEIGHT / height, color=GREY, linewidth=0, zorder=-1)
            figure.add_artist(card)
        top = (bottom + HEIGHT - 0.08) / height
        figure.text(0.06 / style.WIDTH, top, block.title, fontsize=9, weight="bold", va="top")
        panels = draw_panels(figure, LEFT, bottom + 0.5, block.modularity, quantity)
        firsts.append(panels[FORMS[0]])
    for axis in ("xlim", "ylim") if same_scale else ("xlim",):
        ends = np.array([axes.properties()[axis] for axes in firsts])
        for axes in firsts:
            axes.set(**{axis: (ends.min(), ends.max())})
    legend(figure, 0.5)
    style.footnote(figure, notes)
    return figure
