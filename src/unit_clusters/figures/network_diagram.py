"""A multilayer perceptron as circles and lines (inset of Fig. 3)."""

from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection


def draw_network(axes: Axes, sizes: Sequence[int]) -> None:
    """Draw each layer as a column of circles, more for larger layers, with its number of units below.

    Neighbouring layers of one size share a label such as "2 × 64". Hidden layers are filled.
    """
    axes.set_axis_off()
    axes.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(-1.7, 1.25))
    columns = [_heights(size) for size in sizes]
    for layer, (left, right) in enumerate(pairwise(columns)):
        lines = [[(layer, y), (layer + 1, z)] for y in left for z in right]
        axes.add_collection(LineCollection(lines, colors="0.8", linewidths=0.4, zorder=1))
    for layer, heights in enumerate(columns):
        face = "0.35" if 0 < layer < len(sizes) - 1 else "white"
        circles = {"s": 16, "facecolor": face, "edgecolor": "0.35", "linewidth": 0.6, "zorder": 2}
        axes.scatter(np.full(len(heights), layer), heights, **circles)
    for size, layers in groupby(range(len(sizes)), key=sizes.__getitem__):
        layers = list(layers)
        text = str(size) if len(layers) == 1 else f"{len(layers)} × {size}"
        axes.text(np.mean(layers), -1.2, text, ha="center", va="top", fontsize=7)


def _heights(size: int) -> Float[np.ndarray, " circles"]:
    """One circle and another for each fourfold, at most seven, a third apart and centred on 0."""
    circles = min(7, 1 + round(np.log2(size) / 2))
    return (np.arange(circles) - (circles - 1) / 2) / 3
