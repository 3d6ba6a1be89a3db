"""Blocks of the panels of Fig. 3, on gray and on white by turns (Figs. 4, S6 to S8)."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from unit_clusters.plots import style
from unit_clusters.similarity.measures import FORMS
from unit_clusters_paper.figures import sweeps
from unit_clusters_paper.figures.sweep_panels import (
    POOLED,
    QUANTITIES,
    Quantity,
    draw_panels,
    fit,
    legend,
)
from unit_clusters_paper.results.selection import PAPERS, experiments, keep_good

GRAY = "#ececec"
"""Behind a block. Its panels stay white, so that the gray bands of untrained networks show."""


class Block(NamedTuple):
    """A panel a form."""

    title: str
    modularity: pd.DataFrame
    """The rows to show, without discarded networks."""
    gray: bool


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
    figure = Figure(figsize=(style.WIDTH, 0.9 + 4.05 * max(len(blocks), 1)))
    body = figure.subfigures()
    parts = body.subfigures(max(len(blocks), 1), 1, squeeze=False)[:, 0]
    firsts = [_draw_block(part, block, models, QUANTITIES[column]) for part, block in zip(parts, blocks, strict=False)]
    if not blocks:
        axes = parts[0].subplots(subplot_kw={"xticks": [], "yticks": []})
        style.say(axes, "no base networks" if layers else "no networks of other experiments")
    for axes in filter(None, [firsts] if same_scale else [[first] for first in firsts]):
        fit(axes, QUANTITIES[column])
    ends = [end for axes in firsts for end in axes.get_xlim()]
    for axes in firsts:
        axes.set_xlim(min(ends), max(ends))
    legend(body)
    points = f"Points: mean ± standard error over seeds. {sweeps.BASELINE_NOTE}" if layers else POOLED
    style.footnote(figure, [points, *(sweeps.describe(name, modularity, models) for name in names)])
    return figure


def _layers(base: pd.DataFrame) -> Iterator[Block]:
    for layer, rows in base.groupby("layer"):
        yield Block(f"base networks, hidden layer {layer}", rows, gray=layer % 2 == 0)


def _experiments(kept: pd.DataFrame, names: Sequence[str]) -> Iterator[Block]:
    for place, name in enumerate(names):
        number = f" (Experiment {1 + PAPERS.index(name)})" if name in PAPERS else ""
        yield Block(f"{name} networks{number}", kept[kept["experiment"] == name], gray=place % 2 == 0)


def _draw_block(part: SubFigure, block: Block, models: pd.DataFrame, quantity: Quantity) -> Axes:
    """Draw a block; return the first of its panels, which share their scales."""
    if block.gray:
        part.set_facecolor(GRAY)
    part.suptitle(block.title, x=0.01, ha="left")
    return draw_panels(part, block.modularity, models, quantity)[FORMS[0]]
