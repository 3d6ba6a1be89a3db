"""Figure 1: what is a module, and how are modules found? All but C on a layer of a real network."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from unit_clusters.plots import style
from unit_clusters.plots.similarity import cluster_order, draw_similarity, draw_sorted
from unit_clusters.similarity.measures import FAMILIES, Form
from unit_clusters_paper.figures.examples import FORM, Example, draw_scale
from unit_clusters_paper.figures.network_diagram import draw_network

CLUSTERS = [color for place, color in enumerate(colormaps["tab10"].colors) if place != 7]
"""Colours of clusters, which repeat after nine. Grey is for unused units."""

UNUSED = to_rgb("0.75")

OUTSIDE = {"markersize": 4, "markerfacecolor": "white", "markeredgecolor": "0.35", "markeredgewidth": 0.6}
"""Inputs and outputs, as matplotlib draws them."""

QUESTIONS = {
    "upstream": "Do the same inputs\ndrive the pair?",
    "downstream": "Does the pair drive\nthe same outputs?",
}
"""Panel C: what each family of measures asks."""

# Inches.
SIDE, BOTTOM, HEIGHT = 1.55, 0.62, 4.78
TOP = BOTTOM + SIDE + 0.62
"""Where the upper row of panels stands."""


@rc_context(style.RC)
def draw(examples: Sequence[Example], hidden: Mapping[str, Sequence[int]]) -> Figure:
    """Draw a network whose units have clusters (A), the sorted matrix (B), two families of measures (C), pipeline (D).

    Args:
        examples: the last of them is shown; without any, the figure says so.
        hidden: units of each hidden layer, by experiment.
    """
    figure = Figure(figsize=(style.WIDTH, HEIGHT))
    _draw_families(figure, 4.72)
    _letter(figure, "D", 0.06, BOTTOM + SIDE + 0.1)
    diagram = style.axes_at(figure, 0.1, BOTTOM, 1.3, SIDE)
    diagram.set_title("network")
    draw_network(diagram, hidden.get("base", []))
    if not examples:
        for left, bottom, width in ((0.2, TOP, 4.2), (1.9, BOTTOM, 4.9)):
            style.say(style.axes_at(figure, left, bottom, width, SIDE, xticks=[], yticks=[]), "no example networks")
        return figure
    example = examples[-1]
    _draw_units(figure, 0.1, example)
    _draw_sorted(figure, 2.42, example)
    _draw_similarity(style.axes_at(figure, 2.1, BOTTOM, SIDE, SIDE), example)
    _draw_clusters(style.axes_at(figure, 4.5, BOTTOM, 0.62, SIDE), example)
    for left, step in ((1.52, "score\npairs"), (3.83, "maximize\nQ"), (5.27, "sort")):
        _draw_arrow(figure, left, step)
    figure.text(5.8 / style.WIDTH, (BOTTOM + SIDE / 2) / HEIGHT, "matrix in B", va="center")
    note = f"A, B, D: first hidden layer of a base network, dropout {example.strength:.2g}; its normalized covariance."
    style.footnote(figure, [note + " Grey: unused units."])
    return figure


def membership(labels: Int[np.ndarray, " units"]) -> Float[np.ndarray, "units clusters rgb"]:
    """P as an image: each unit's row is white but for its cluster's column; unused units (-1) have the last column."""
    columns = [*np.unique(labels[labels >= 0]), *np.unique(labels[labels < 0])]
    image = np.ones((len(labels), len(columns), 3))
    for place, label in enumerate(columns):
        image[labels == label, place] = CLUSTERS[label % len(CLUSTERS)] if label >= 0 else UNUSED
    return image


def unit_colors(labels: Int[np.ndarray, " units"]) -> Float[np.ndarray, "units rgb"]:
    """The colour of each unit's cluster."""
    return membership(labels).min(axis=1)


def _letter(figure: Figure, letter: str, left: float, bottom: float) -> None:
    figure.text(left / style.WIDTH, bottom / HEIGHT, letter, fontsize=10, weight="bold")


def _draw_units(figure: Figure, left: float, example: Example) -> None:
    """Panel A: the layer's units as dots in the colours of their clusters, between inputs and what follows."""
    _letter(figure, "A", left - 0.04, TOP + SIDE + 0.16)
    axes = style.axes_at(figure, left, TOP, 2.0, SIDE, xlim=(-0.2, 3.5), ylim=(-1.45, 1.2))
    axes.set_title("units of a layer, by cluster")
    axes.set_axis_off()
    colors = unit_colors(example.labels)
    across = int(np.ceil(np.sqrt(len(colors))))
    column, row = np.arange(len(colors)) % across, np.arange(len(colors)) // across
    edge = 1.7 / max(across - 1, 1)
    x, y = 0.9 + edge * column, 0.85 - edge * row
    for end, number, nearest in ((0, 5, column == 0), (3.4, 3, column == across - 1)):
        heights = np.linspace(-0.9, 0.9, number)
        for height, unit in product(heights, np.flatnonzero(nearest)):
            axes.plot((end, x[unit]), (height, y[unit]), color="0.8", linewidth=0.4, zorder=1)
        axes.plot(np.full(number, end), heights, "o", **OUTSIDE)
    axes.scatter(x, y, s=20, c=colors, linewidths=0, zorder=2)
    for place, name in ((0, "inputs"), (0.9 + 1.7 / 2, f"{len(colors)} units"), (3.4, "outputs")):
        axes.text(place, -1.2, name, ha="center", va="top", fontsize=7)


def _draw_families(figure: Figure, left: float) -> None:
    """Panel C: two units, and what is upstream of both or downstream of both."""
    _letter(figure, "C", left - 0.04, TOP + SIDE + 0.16)
    for place, (family, question) in enumerate(QUESTIONS.items()):
        axes = style.axes_at(figure, left, TOP + 0.86 * (1 - place), 2.2, 0.72, xlim=(-0.1, 2.1), ylim=(-0.36, 0.36))
        axes.set_axis_off()
        forms = [Form(measure, False) for measure in FAMILIES[family]]
        color = forms[0].ink
        _draw_pair(axes, family == "upstream", color)
        symbols = ", ".join(map(style.label, forms))
        axes.text(0.95, 0.24, family, weight="bold", va="center", color=color)
        axes.text(0.95, 0, question, va="center", fontsize=7)
        axes.text(0.95, -0.27, symbols, va="center", fontsize=style.MATH_SIZE, color=color)


def _draw_pair(axes: Axes, upstream: bool, color: str) -> None:
    """Arrows to a pair of units from its inputs on the left, or from the pair to its outputs on the right."""
    arrow = {"arrowstyle": "-|>", "color": "0.55", "linewidth": 0.6, "shrinkA": 3, "shrinkB": 3, "mutation_scale": 5}
    pair, others = [0.17, -0.17], [0.27, 0, -0.27]
    left, right = (others, pair) if upstream else (pair, others)
    for start, end in product(left, right):
        axes.annotate("", (0.7, end), (0, start), arrowprops=arrow)
    unit = {"linestyle": "", "marker": "o", "markersize": 6, "color": color}
    axes.plot([0.7 * upstream] * 2, pair, **unit)
    axes.plot([0.7 * (not upstream)] * 3, others, **unit | OUTSIDE)


def _draw_similarity(axes: Axes, example: Example) -> None:
    draw_similarity(axes, example.similarity)
    axes.set_xlabel("units")
    axes.set_title(f"similarity {style.label(FORM)}", fontsize=style.MATH_SIZE)


def _draw_clusters(axes: Axes, example: Example) -> None:
    axes.imshow(membership(example.labels), aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[], xlabel="clusters")
    axes.spines[:].set_visible(True)
    axes.set_title(rf"$\mathbf{{P}}$*,  {style.Q_STAR} = {example.q:.3f}")


def _draw_sorted(figure: Figure, left: float, example: Example) -> None:
    """Panel B: the sorted matrix, with each unit's cluster as a coloured strip on the left and below, and its scale."""
    _letter(figure, "B", left - 0.1, TOP + SIDE + 0.16)
    axes = style.axes_at(figure, left, TOP, SIDE, SIDE)
    draw_sorted(axes, example.similarity, example.labels)
    axes.set_title("sorted by cluster")
    draw_scale(axes, style.axes_at(figure, left + SIDE + 0.07, TOP, 0.07, SIDE))
    order, _ = cluster_order(example.labels)
    colors = unit_colors(example.labels)[order]
    for place, image in (
        ((left - 0.1, TOP, 0.08, SIDE), colors[:, None]),
        ((left, TOP - 0.1, SIDE, 0.08), colors[None]),
    ):
        strip = style.axes_at(figure, *place, xticks=[], yticks=[])
        strip.imshow(image, aspect="auto", interpolation="nearest")
        strip.spines[:].set_visible(False)


def _draw_arrow(figure: Figure, left: float, step: str) -> None:
    """An arrow to the right, with the name of the step above it."""
    axes = style.axes_at(figure, left, BOTTOM + SIDE / 2 - 0.2, 0.42, 0.4, xlim=(0, 1), ylim=(0, 1))
    axes.set_axis_off()
    axes.annotate("", (1, 0.5), (0, 0.5), arrowprops={"arrowstyle": "->", "linewidth": 1})
    axes.text(0.5, 0.65, step, ha="center", va="bottom")
