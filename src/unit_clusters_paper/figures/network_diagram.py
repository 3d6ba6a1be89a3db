"""A multilayer perceptron as circles and lines (Figs. 1, 3 and S1)."""

from collections.abc import Sequence
from itertools import groupby, pairwise

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

ENDS = {"in": 6, "out": 3}
"""Circles for the inputs and outputs, whose number depends on the data set: as many as for MNIST's 784 and 10."""


def draw_network(axes: Axes, hidden: Sequence[int]) -> None:
    """Draw each layer as a column of circles, more for larger layers, with its number of units below.

    Neighboring layers of one size share a label such as "2 × 64". Hidden layers are filled; inputs are on their left,
    outputs on their right.

    Args:
        hidden: units of each hidden layer.
    """
    axes.set_axis_off()
    names = ["in", *map(str, hidden), "out"]
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(-1.7, 1.25))
    columns = [_heights(circles) for circles in (ENDS["in"], *map(_circles, hidden), ENDS["out"])]
    for layer, (left, right) in enumerate(pairwise(columns)):
        lines = [[(layer, y), (layer + 1, z)] for y in left for z in right]
        axes.add_collection(LineCollection(lines, colors="0.8", linewidths=0.4, zorder=1))
    for layer, heights in enumerate(columns):
        face = "0.35" if 0 < layer < len(names) - 1 else "white"
        circles = {"s": 16, "facecolor": face, "edgecolor": "0.35", "linewidth": 0.6, "zorder": 2}
        axes.scatter(np.full(len(heights), layer), heights, **circles)
    for name, layers in groupby(range(len(names)), key=names.__getitem__):
        layers = list(layers)
        text = name if len(layers) == 1 else f"{len(layers)} × {name}"
        axes.text(np.mean(layers), -1.2, text, ha="center", va="top", fontsize=7)


def _circles(units: int) -> int:
    """One and another for each fourfold, at most seven."""
    return min(7, 1 + round(np.log2(units) / 2))


def _heights(circles: int) -> Float[np.ndarray, " circles"]:
    """A third apart and centered on 0."""
    return (np.arange(circles) - (circles - 1) / 2) / 3
