"""Figure 1: what is a module, and how are modules found? All but C on a layer of a real network."""

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np
from jaxtyping import Float, Int
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure, SubFigure

from unit_clusters.plots import style
from unit_clusters.plots.similarity import cluster_order, draw_similarity, draw_sorted
from unit_clusters.similarity.measures import FAMILIES, Form
from unit_clusters_paper.figures.examples import FORM, Example, draw_scale
from unit_clusters_paper.figures.network_diagram import draw_network

CLUSTERS = [color for place, color in enumerate(colormaps["tab10"].colors) if place != 7]
"""Colors of clusters, which repeat after nine. Gray is for unused units."""

UNUSED = to_rgb("0.75")

OUTSIDE = {"markersize": 4, "markerfacecolor": "white", "markeredgecolor": "0.35", "markeredgewidth": 0.6}
"""Inputs and outputs, as matplotlib draws them."""

QUESTIONS = {
    "upstream": "Do the same inputs\ndrive the pair?",
    "downstream": "Does the pair drive\nthe same outputs?",
}
"""Panel C: what each family of measures asks."""


@rc_context(style.RC)
def draw(examples: Sequence[Example], hidden: Mapping[str, Sequence[int]]) -> Figure:
    """Draw a network whose units have clusters (A), the sorted matrix (B), two families of measures (C), pipeline (D).

    Args:
        examples: the last of them is shown; without any, the figure says so.
        hidden: units of each hidden layer, by experiment.
    """
    figure = Figure(figsize=(style.WIDTH, 4.7))
    upper, lower = figure.subfigures(2, 1)
    left, right = upper.subfigures(1, 2, width_ratios=(2, 1))
    _draw_families(right)
    if not examples:
        for part in (left, lower):
            style.say(part.subplots(subplot_kw={"xticks": [], "yticks": []}), "no example networks")
        return figure
    example = examples[-1]
    units, by_cluster = left.subplots(1, 2, width_ratios=(1.15, 1))
    _draw_units(units, example)
    _draw_sorted(by_cluster, example)
    diagram, *steps = lower.subplots(1, 7, width_ratios=(1.3, 0.45, 1.6, 0.45, 0.7, 0.45, 0.8))
    draw_network(diagram, hidden.get("base", []))
    diagram.set_title("network")
    _draw_similarity(steps[1], example)
    _draw_clusters(steps[3], example)
    for axes, step in zip(steps[::2], ("score\npairs", "maximize\nQ", "sort"), strict=True):
        _draw_arrow(axes, step)
    steps[5].text(0, 0.5, "matrix\nin B", va="center")
    steps[5].set_axis_off()
    for letter, axes in zip("ABCD", (units, by_cluster, right.axes[0], diagram), strict=True):
        axes.set_title(letter, loc="left", fontsize=10, weight="bold")
    note = f"A, B, D: first hidden layer of a base network, dropout {example.strength:.2g}; its normalized covariance."
    style.footnote(figure, [note + " Gray: unused units."])
    return figure


def membership(labels: Int[np.ndarray, " units"]) -> Float[np.ndarray, "units clusters rgb"]:
    """P as an image: each unit's row is white but for its cluster's column; unused units (-1) have the last column."""
    columns = [*np.unique(labels[labels >= 0]), *np.unique(labels[labels < 0])]
    image = np.ones((len(labels), len(columns), 3))
    for place, label in enumerate(columns):
        image[labels == label, place] = CLUSTERS[label % len(CLUSTERS)] if label >= 0 else UNUSED
    return image


def unit_colors(labels: Int[np.ndarray, " units"]) -> Float[np.ndarray, "units rgb"]:
    """The color of each unit's cluster."""
    return membership(labels).min(axis=1)


def _draw_units(axes: Axes, example: Example) -> None:
    """Panel A: the layer's units as dots in the colors of their clusters, between inputs and what follows."""
    axes.set(title="units of a layer, by cluster", xlim=(-0.2, 3.6), ylim=(-1.3, 1))
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


def _draw_families(part: SubFigure) -> None:
    """Panel C: two units, and what is upstream of both or downstream of both."""
    for axes, (family, question) in zip(part.subplots(len(QUESTIONS), 1), QUESTIONS.items(), strict=True):
        axes.set(xlim=(-0.1, 2.1), ylim=(-0.36, 0.36))
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
    axes.set(xlabel="units")
    axes.set_title(f"similarity {style.label(FORM)}", fontsize=style.MATH_SIZE)


def _draw_clusters(axes: Axes, example: Example) -> None:
    axes.imshow(membership(example.labels), aspect="auto", interpolation="nearest")
    axes.set(xticks=[], yticks=[], xlabel="clusters")
    axes.spines[:].set_visible(True)
    axes.set_title(rf"$\mathbf{{P}}$*,  {style.Q_STAR} = {example.q:.3f}")


def _draw_sorted(axes: Axes, example: Example) -> None:
    """Panel B: the sorted matrix, with each unit's cluster as a colored strip on the left and below, and its scale."""
    draw_sorted(axes, example.similarity, example.labels)
    axes.set(title="sorted by cluster")
    draw_scale(axes)
    order, _ = cluster_order(example.labels)
    colors = unit_colors(example.labels)[order]
    for place, image in (((-0.07, 0, 0.055, 1), colors[:, None]), ((0, -0.07, 1, 0.055), colors[None])):
        strip = axes.inset_axes(place, xticks=[], yticks=[])
        strip.imshow(image, aspect="auto", interpolation="nearest")
        strip.spines[:].set_visible(False)


def _draw_arrow(axes: Axes, step: str) -> None:
    """An arrow to the right, with the name of the step above it."""
    axes.set_axis_off()
    axes.annotate("", (1, 0.5), (0, 0.5), arrowprops={"arrowstyle": "->", "linewidth": 1})
    axes.text(0.5, 0.53, step, ha="center", va="bottom")
