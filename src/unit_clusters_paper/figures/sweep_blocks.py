"""Blocks of the panels of Fig. 3, on grey and on white by turns (Figs. 4, S6 to S8)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.sweep_panels import (
    HEADER,
    LEFT,
    POOLED,
    QUANTITIES,
    ROWS,
    Quantity,
    draw_panels,
    fit,
    legend,
)
from unit_clusters_paper.results.selection import PAPERS, experiments, keep_good

GREY = "#ececec"
"""Behind a block. Its panels stay white, so that the grey bands of untrained networks show."""

# Inches.
BELOW = 0.5
"""From the edge of a block to its panels."""
HEIGHT, FOOT = BELOW + ROWS + HEADER + 0.22, 0.86


class Block(NamedTuple):
    """A panel a form."""

    title: str
    modularity: pd.DataFrame
    """The rows to show, without discarded networks."""
    grey: bool


@rc_context(style.RC)
def draw(
    modularity: pd.DataFrame, models: pd.DataFrame, column: str, layers: bool = False, same_scale: bool = True
) -> Figure:
    """Draw a block for each hidden layer of Experiment 1, or for each other experiment with all of its layers together.

    Args:
        column: what to show, of QUANTITIES.
        layers: which of the two.
        same_scale: whether all blocks have the same vertical scale.
    """
    names = ["base"] if layers else [name for name in experiments(models) if name != "base"]
    kept = keep_good(modularity[modularity["experiment"].isin(names)], models)
    blocks = list(_layers(kept) if layers else _experiments(kept, names))
    further = sweeps.further(names, room=2)
    figure = Figure(figsize=(style.WIDTH, max(len(blocks), 1) * HEIGHT + FOOT + further))
    firsts = [
        _draw_block(figure, block, FOOT + further + (len(blocks) - 1 - place) * HEIGHT, models, QUANTITIES[column])
        for place, block in enumerate(blocks)
    ]
    if not blocks:
        axes = style.axes_at(figure, LEFT, FOOT, 6.2, ROWS, xticks=[], yticks=[])
        style.say(axes, "no base networks" if layers else "no networks of other experiments")
    for axes in filter(None, [firsts] if same_scale else [[first] for first in firsts]):
        fit(axes, QUANTITIES[column])
    ends = [end for axes in firsts for end in axes.get_xlim()]
    for axes in firsts:
        axes.set_xlim(min(ends), max(ends))
    legend(figure, 0.55 + further)
    points = f"Points: mean ± standard error over seeds. {sweeps.BASELINE}" if layers else POOLED
    style.footnote(figure, [points, *(sweeps.describe(name, modularity, models) for name in names)])
    return figure


def _layers(base: pd.DataFrame) -> Iterator[Block]:
    for layer, rows in base.groupby("layer"):
        yield Block(f"base networks, hidden layer {layer}", rows, grey=layer % 2 == 0)


def _experiments(kept: pd.DataFrame, names: Sequence[str]) -> Iterator[Block]:
    for place, name in enumerate(names):
        number = f" (Experiment {1 + PAPERS.index(name)})" if name in PAPERS else ""
        yield Block(f"{name} networks{number}", kept[kept["experiment"] == name], grey=place % 2 == 0)


def _draw_block(figure: Figure, block: Block, bottom: float, models: pd.DataFrame, quantity: Quantity) -> Axes:
    """Draw a block at a height in inches; return the first of its panels, which share their scales."""
    height = figure.get_figheight()
    if block.grey:
        figure.add_artist(Rectangle((0, bottom / height), 1, HEIGHT / height, color=GREY, linewidth=0, zorder=-1))
    top = (bottom + HEIGHT - 0.07) / height
    figure.text(0.06 / style.WIDTH, top, block.title, fontsize=9, weight="bold", va="top")
    return draw_panels(figure, LEFT, bottom + BELOW, block.modularity, models, quantity)[FORMS[0]]
