"""Scores of very many matrices: how many have which two, and by how much one exceeds the other (Figs. S5, restarts)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap, LogNorm

from unit_clusters.clusters.modularity import EQUAL

COUNTS = LinearSegmentedColormap.from_list("counts", colormaps["Blues"](np.linspace(0.25, 1, 256)))
"""Of matrices in a hexagon, from 1 on; one of them is still seen on white."""

CELLS = 45
"""Hexagons from left to right."""


def draw_counts(
    axes: Axes, x: Float[np.ndarray, " matrices"], y: Float[np.ndarray, " matrices"], ends: Sequence[float]
) -> None:
    """Draw how many points lie in each of many small hexagons; points that coincide are counted, not hidden.

    Args:
        axes: about as high as they are wide.
        x: a point each.
        y: likewise.
        ends: of the axes: left, right, bottom, top; points beyond them are not shown.
    """
    shown = (ends[0] <= x) & (x <= ends[1]) & (ends[2] <= y) & (y <= ends[3])
    cells = (CELLS, round(CELLS / np.sqrt(3)))  # so that the hexagons are regular
    axes.hexbin(x[shown], y[shown], gridsize=cells, extent=ends, mincnt=1, linewidths=0, cmap=COUNTS)
    axes.set(xlim=ends[:2], ylim=ends[2:])


def count_gains(before: pd.Series, after: pd.Series) -> str:
    """In how many matrices `after` is better than `before` or worse, in words."""
    gain = after - before
    return f"better in {(gain > EQUAL).mean():.1%}, worse in {(gain < -EQUAL).mean():.1%}"


def draw_count_scale(panels: np.ndarray) -> None:
    """Give the hexagons of all panels one color scale, and draw it below them, if there are any."""
    found = [drawn for axes in panels.flat for drawn in axes.collections if isinstance(drawn, PolyCollection)]
    if not found:
        return
    norm = LogNorm(1, max(2, *(hexagons.get_array().max() for hexagons in found)))
    for hexagons in found:
        hexagons.set_norm(norm)
    place = {"ax": panels, "location": "bottom", "shrink": 0.5, "aspect": 40, "pad": 0.02}
    bar = panels.flat[0].figure.colorbar(found[0], **place, label="matrices in a hexagon")
    ticks = [count for count in (1, 10, 100, 1000) if count <= norm.vmax]
    bar.set_ticks(ticks, labels=map(str, ticks))
    bar.minorticks_off()
    bar.outline.set_visible(False)
