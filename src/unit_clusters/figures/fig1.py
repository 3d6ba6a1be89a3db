"""Figure 1, panels B and D: from a layer of a real network to its clusters."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from unit_clusters.figures import style
from unit_clusters.figures.examples import FORM, SIMILARITIES, Example, cluster_order, draw_example
from unit_clusters.figures.network_diagram import draw_network

CLUSTERS = [color for place, color in enumerate(colormaps["tab10"].colors) if place != 7]
"""Colours of clusters, which repeat after nine. Grey is for unused units."""

UNUSED = to_rgb("0.75")

# Inches.
SIDE, BOTTOM, HEIGHT = 1.62, 0.66, 2.72


@rc_context(style.RC)
def draw(examples: Sequence[Example], network: Sequence[int]) -> Figure:
    """Draw the pipeline (D) on the first example, and its similarity matrix sorted by cluster (B).

    Args:
        examples: the layer to show; without any, the figure says so.
        network: units of each layer, from the input to the output.
    """
    figure = Figure(figsize=(style.WIDTH, HEIGHT))
    figure.text(0.06 / style.WIDTH, 1 - 0.08 / HEIGHT, "D", fontsize=10, weight="bold", va="top")
    diagram = style.axes_at(figure, 0.05, BOTTOM, 1.1, SIDE)
    diagram.set_title("network")
    draw_network(diagram, network)
    if not examples:
        style.say(style.axes_at(figure, 1.5, BOTTOM, 5.3, SIDE, xticks=[], yticks=[]), "no example networks")
        return figure
    example = examples[0]
    _draw_similarity(style.axes_at(figure, 1.55, BOTTOM, SIDE, SIDE), example)
    _draw_clusters(style.axes_at(figure, 3.9, BOTTOM, 0.62, SIDE), example)
    _draw_sorted(figure, style.axes_at(figure, 5.2, BOTTOM, SIDE, SIDE), example)
    for left, step in ((1.13, "score\npairs"), (3.3, "maximize\nQ"), (4.63, "sort")):
        _draw_arrow(figure, left, step)
    note = f"First hidden layer of a base network, dropout {example.strength:.2g}; its normalized covariance."
    style.footnote(figure, [note + " Grey: unused units."])
    return figure


def membership(labels: Int[np.ndarray, " units"]) -> Float[np.ndarray, "units clusters rgb"]:
    """P as an image: each unit's row is white but for its cluster's column; unused units (-1) have the last column."""
    columns = [*np.unique(labels[labels >= 0]), *np.unique(labels[labels < 0])]
    image = np.ones((len(labels), len(columns), 3))
    for place, label in enumerate(columns):
        image[labels == label, place] = CLUSTERS[label % len(CLUSTERS)] if label >= 0 else UNUSED
    return image


def _draw_similarity(axes: Axes, example: Example) -> None:
    matrix = example.similarity.copy()
    np.fill_diagonal(matrix, 0)
    axes.imshow(matrix, cmap=SIMILARITIES, vmin=0, vmax=1, aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[], xlabel="units")
    axes.spines[:].set_visible(True)
    axes.set_title(f"similarity {style.label(FORM)}")


def _draw_clusters(axes: Axes, example: Example) -> None:
    axes.imshow(membership(example.labels), aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[], xlabel="clusters")
    axes.spines[:].set_visible(True)
    axes.set_title(rf"$\mathbf{{P}}^{{\text{{*}}}}$,  {style.Q_STAR} = {example.q:.3f}")


def _draw_sorted(figure: Figure, axes: Axes, example: Example) -> None:
    """The sorted matrix, with each unit's cluster as a coloured strip on the left and below."""
    draw_example(axes, example)
    axes.set_title("sorted by cluster")
    order, _ = cluster_order(example.labels)
    colors = membership(example.labels)[order].min(axis=1, keepdims=True)
    left, bottom = 5.2, BOTTOM
    for place, image in (
        ((left - 0.1, bottom, 0.08, SIDE), colors),
        ((left, bottom - 0.1, SIDE, 0.08), colors.swapaxes(0, 1)),
    ):
        strip = style.axes_at(figure, *place, xticks=[], yticks=[])
        strip.imshow(image, aspect="auto", interpolation="nearest")
        strip.spines[:].set_visible(False)
    figure.text((left - 0.1) / style.WIDTH, 1 - 0.08 / HEIGHT, "B", fontsize=10, weight="bold", va="top")


def _draw_arrow(figure: Figure, left: float, step: str) -> None:
    """An arrow to the right, with the name of the step above it."""
    axes = style.axes_at(figure, left, BOTTOM + SIDE / 2 - 0.2, 0.42, 0.4, xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    axes.annotate("", (1, 0.5), (0, 0.5), arrowprops={"arrowstyle": "->", "linewidth": 1})
    axes.text(0.5, 0.65, step, ha="center", va="bottom")
